/** One seed, told step by step: `node tests/simulation/src/replay.ts <seed> [mutant]`. */
import { mutants } from "./mutants.ts";
import { simulate } from "./simulation.ts";

const seed = Number(process.argv[2] ?? 1);
const { trace, ...result } = await simulate(
  seed,
  mutants.find((mutant) => mutant.name === process.argv[3]),
);
for (const line of trace) process.stdout.write(`${line}\n`);
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
