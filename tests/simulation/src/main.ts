/** Any number of seeds: `node tests/simulation/src/main.ts [seeds] [first]`. Exit code 1 when one shows a violation. */
import { runCampaign } from "./campaign.ts";

const [seeds = "10000", first = "1"] = process.argv.slice(2);
const { failures, tally } = await runCampaign({
  first: Number(first),
  seeds: Number(seeds),
  onSeed: (seed) => {
    if (seed % 1_000 === 0) process.stderr.write(`${seed}\n`);
  },
});
for (const { replay, violations } of failures)
  process.stdout.write(`${replay}\n  ${violations.join("\n  ")}\n`);
for (const [name, times] of [...tally].sort()) process.stdout.write(`${name}: ${times}\n`);
process.stdout.write(`${failures.length === 0 ? "no violation" : "violations"}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
