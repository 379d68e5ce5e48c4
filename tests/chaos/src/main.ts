/** A campaign by command: `node tests/chaos/src/main.ts <faults> <seed>`. Exit code 1 when anything is lost, doubled, wrong or out of order. */
import { campaign } from "./campaign.ts";

const result = await campaign({
  faults: Number(process.argv[2] ?? 15),
  seed: Number(process.argv[3] ?? 1),
  onFault: (text) => process.stdout.write(`${text}\n`),
});
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
const { lost, doubled, wrong, reordered } = result.sums;
process.exitCode =
  lost + doubled + wrong + reordered + result.flights.problems.length > 0 ||
  result.states.some((state) => state !== "FINISHED")
    ? 1
    : 0;
