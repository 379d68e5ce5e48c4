import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobs } from "./jobs.ts";
import { measurePairs, runEngine, spread } from "./measure.ts";
import { type Results, reportOf, withReport } from "./report.ts";

const folder = join(import.meta.dirname, "..");
const results = JSON.parse(readFileSync(join(folder, "results/baseline.json"), "utf8")) as Results;

test.each(jobs)("$name: the engine and the loop come to the same result", async (benchmark) => {
  const records = 2_000;
  const byHand = benchmark.byHand(records);
  expect(byHand).toBeGreaterThan(0);
  expect(await runEngine(benchmark, records)).toBe(byHand);
});

test("a loop that comes to another result is no measurement", async () => {
  const [first] = jobs;
  if (first === undefined) throw new Error("no job");
  const wrong = { ...first, records: 100, byHand: () => -1 };
  await expect(measurePairs(wrong, 1)).rejects.toThrow(/differ/);
});

test("the results are of all jobs at their full size, in five pairs or more", () => {
  expect(results.pairs).toBeGreaterThanOrEqual(5);
  expect(results.commit).toMatch(/^[0-9a-f]{10}$/);
  expect(results.rows.map(({ name, records }) => [name, records])).toEqual(
    jobs.map(({ name, records }) => [name, records]),
  );
});

test("the README says what the results say", () => {
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  expect(readme).toBe(withReport(readme, reportOf(results, jobs)));
});

test("a spread is the least, the middle and the greatest", () => {
  expect(spread([5, 1, 4.04, 2, 3])).toEqual([1, 3, 5]);
});
