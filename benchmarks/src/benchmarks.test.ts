import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { benchmarks } from "./all.ts";
import { keyCount } from "./data.ts";
import { experiments } from "./experiments/all.ts";
import { runInProcess } from "./in-process.ts";
import { readProbes } from "./probe.ts";
import { reportOf, withReport } from "./report.ts";
import { readFigures, readResults, resultsFolder } from "./results.ts";
import { selected } from "./selected.ts";
import { variantsOf, warmOf } from "./variant.ts";

test.each(benchmarks)("BEN-1: $name: all variants come to the same result", async (benchmark) => {
  // One source of six times as many comes to the same when each of the six hands out all records there are.
  const records = benchmark.sources === undefined ? 2_000 : keyCount;
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-test-"));
  try {
    const results = [];
    for (const [i, variant] of variantsOf(benchmark).entries()) {
      const file = join(folder, `probes-${i}`);
      const run = { benchmark: benchmark.name, variant, records, warm: warmOf(records), folder };
      benchmark.prepare?.(run);
      await runInProcess({ ...run, file });
      const { count, fold } = readProbes(file);
      results.push({ count, fold });
    }
    expect(results[0]?.count).toBeGreaterThan(0);
    for (const result of results) expect(result).toEqual(results[0]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a family's name means all of its members; an unknown name is refused with the nearest", () => {
  const names = (...wanted: string[]) => {
    const { benchmarks: ofRecords, experiments: ofFigures } = selected(wanted);
    return [...ofRecords, ...ofFigures].map(({ name }) => name);
  };
  expect(names("shuffle")).toEqual(["shuffle-p1", "shuffle-p2"]);
  expect(names("numbers-tcp", "idle", "chain5")).toEqual(["chain5", "numbers-tcp", "idle"]);
  expect(names("checkpoint")).toEqual(["checkpoint"]);
  expect(names()).toHaveLength(benchmarks.length + experiments.length);
  expect(() => names("keyedsums-p1")).toThrow(/did you mean "keyedsum-p1"/);
});

test("the page shows what the results say, and they are of full size", () => {
  const page = readFileSync(join(resultsFolder, "../figures.md"), "utf8");
  const names = experiments.map(({ name }) => name);
  const report = reportOf(benchmarks, names, { results: readResults, figures: readFigures });
  expect(page).toBe(withReport(page, report));
  for (const benchmark of benchmarks) {
    const results = readResults(benchmark.name);
    if (results === undefined) continue;
    expect(results.records).toBe(benchmark.records);
    expect(results.pairs).toBeGreaterThanOrEqual(5);
    expect(results.rows.map(({ variant }) => variant)).toEqual(variantsOf(benchmark));
  }
});
