import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { runCampaign } from "./campaign.ts";
import { engineMutants } from "./engine-mutants.ts";
import { faultNames } from "./faults.ts";
import { mutants } from "./mutants.ts";
import { simulate } from "./simulation.ts";

const seeds = Number(process.env["MILLRACE_SEEDS"] ?? 1_000);
const first = Number(process.env["MILLRACE_SEED"] ?? 1);
/** Seeds of bugs that were found and mended; they are run for ever. */
const regressions = [9, 17, 139, 173];
const mutantSeeds = 400;
const minuteMs = 60_000;

test(
  `SIM-1..11: ${seeds} seeds from ${first} show no violation`,
  async () => {
    const { failures, tally } = await runCampaign({ first, seeds });
    expect(failures).toEqual([]);
    if (seeds < 500) return;
    // A campaign without faults or commits would show nothing.
    expect(tally.get("commits") ?? 0).toBeGreaterThan(seeds);
    for (const name of faultNames) expect(tally.get(name) ?? 0, name).toBeGreaterThan(seeds / 100);
    // Most jobs finish; some are cancelled, some fail for good, and these too commit first (SIM-6).
    for (const state of ["FINISHED", "CANCELED", "FAILED"])
      expect(tally.get(state) ?? 0, state).toBeGreaterThan(seeds / 200);
  },
  5 * minuteMs + seeds * 200,
);

test("seeds that failed once stay mended", async () => {
  for (const seed of regressions)
    expect((await simulate(seed)).violations, `seed ${seed}`).toEqual([]);
});

test("a seed run twice gives the same run", async () => {
  for (let seed = 1; seed <= 10; seed++) expect(await simulate(seed)).toEqual(await simulate(seed));
});

describe("what travels is changed", () => {
  test.each(mutants)("the mutant “$name” is caught, for its own reason", async (mutant) => {
    for (let seed = 1; seed <= mutantSeeds; seed++) {
      const [violation] = (await simulate(seed, mutant)).violations;
      if (violation === undefined) continue;
      expect(mutant.breaks).toContain(violation.split(":")[0]);
      return;
    }
    expect.fail(`no violation within ${mutantSeeds} seeds`);
  });
});

describe("a rule is dropped from the engine's source", () => {
  const main = fileURLToPath(new URL("run-mutant.ts", import.meta.url));
  test.each(engineMutants)(
    "the mutant “$name” is caught, for its own reason",
    async ({ name, breaks }) => {
      const { stdout } = await promisify(execFile)(process.execPath, [main, name]);
      const { violation } = JSON.parse(stdout) as { readonly violation?: string };
      expect(breaks).toContain(violation?.split(":")[0]);
    },
    5 * minuteMs,
  );
});
