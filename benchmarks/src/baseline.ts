/**
 * The first figures: CPU per record of each job beside a hand-written loop, in turns in one process.
 *
 *   node benchmarks/src/baseline.ts [pairs]      5 or more: writes results/baseline.json and the table of the README
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { jobs } from "./jobs.ts";
import { measurePairs, type Row } from "./measure.ts";
import { type Results, reportOf, withReport } from "./report.ts";

const fewestPairs = 5;
const pairs = Number(process.argv[2] ?? fewestPairs);
const folder = join(import.meta.dirname, "..");
const git = (...args: readonly string[]): string =>
  execFileSync("git", args, { cwd: folder, encoding: "utf8" }).trim();

const isChanged = git("status", "--porcelain", "--", "../packages", "src") !== "";
const loadBefore = Math.round((loadavg()[0] ?? 0) * 10) / 10;
const rows: Row[] = [];
for (const benchmark of jobs) rows.push(await measurePairs(benchmark, pairs));

const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  commit: `${git("log", "-1", "--format=%h", "--abbrev=10", "--", "../packages")}${isChanged ? "-dirty" : ""}`,
  node: process.version,
  cpus: cpus().length,
  loadBefore,
  pairs,
  rows,
};
const report = reportOf(results, jobs);
process.stdout.write(`${report}\n`);
if (pairs >= fewestPairs) {
  writeFileSync(join(folder, "results/baseline.json"), `${JSON.stringify(results, null, 2)}\n`);
  const readme = join(folder, "README.md");
  writeFileSync(readme, withReport(readFileSync(readme, "utf8"), report));
} else process.stdout.write(`not written: that takes ${fewestPairs} pairs or more\n`);
