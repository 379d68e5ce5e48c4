import { expect, test } from "vitest";
import { mutants } from "./mutants.ts";
import { simulate } from "./simulation.ts";

const seeds = Number(process.env["MILLRACE_SEEDS"] ?? 1_000);
const first = Number(process.env["MILLRACE_SEED"] ?? 1);
/** Seeds of bugs that were found and mended; they are run for ever. */
const regressions = [9, 17, 173];
const mutantSeeds = 400;

test(`SIM-1..5: ${seeds} seeds from ${first} show no violation`, async () => {
  let faults = 0;
  let commits = 0;
  const ends = new Map<string, number>();
  for (let seed = first; seed < first + seeds; seed++) {
    const result = await simulate(seed);
    expect(result.violations, `seed ${seed}: node tests/simulation/src/replay.ts ${seed}`).toEqual(
      [],
    );
    faults += result.faults;
    commits += result.commits;
    ends.set(result.state, (ends.get(result.state) ?? 0) + 1);
  }
  // A campaign without faults or commits would show nothing.
  expect(faults).toBeGreaterThan(seeds);
  expect(commits).toBeGreaterThan(seeds);
  // Most jobs finish; some are cancelled, some fail for good, and these too commit first (SIM-6).
  for (const state of seeds < 100 ? [] : ["FINISHED", "CANCELED", "FAILED"])
    expect(ends.get(state) ?? 0, state).toBeGreaterThan(seeds / 200);
});

test("seeds that failed once stay mended", async () => {
  for (const seed of regressions)
    expect((await simulate(seed)).violations, `seed ${seed}`).toEqual([]);
});

test("a seed run twice gives the same run", async () => {
  for (let seed = 1; seed <= 10; seed++) expect(await simulate(seed)).toEqual(await simulate(seed));
});

test.each(mutants)("the mutant “$name” is caught", async (mutant) => {
  for (let seed = 1; seed <= mutantSeeds; seed++) {
    const { violations } = await simulate(seed, mutant);
    if (violations.length > 0) return;
  }
  expect.fail(`no violation within ${mutantSeeds} seeds`);
});
