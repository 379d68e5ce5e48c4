/** Results as files, one a benchmark: `results/<name>.json`. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { Figure } from "./experiments/experiment.ts";
import type { VariantRow } from "./pairs.ts";

export interface Where {
  readonly date: string;
  /** The last that changed the engine; "-dirty" when files differ from it. */
  readonly commit: string;
  readonly node: string;
  readonly cpus: number;
  readonly cpu: string;
  /** Processes that wanted a CPU in the minute before the first run. */
  readonly loadBefore: number;
}
/** Of a benchmark with figures of its own. */
export interface FigureResults extends Where {
  readonly name: string;
  readonly figures: readonly Figure[];
}
export interface Results extends Where {
  readonly name: string;
  /** That the source makes, or each of the sources, the part that warms up included. */
  readonly records: number;
  readonly pairs: number;
  readonly rows: readonly VariantRow[];
}

const root = join(import.meta.dirname, "../..");
export const resultsFolder = join(root, "benchmarks/results");
const engineFolders = ["packages", "apps"];

export function where(): Where {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const isChanged = git("status", "--porcelain", "--", ...engineFolders) !== "";
  const commit = git("log", "-1", "--format=%h", "--abbrev=10", "--", ...engineFolders);
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: `${commit}${isChanged ? "-dirty" : ""}`,
    node: process.version,
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? "",
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

export function writeResults(results: Results | FigureResults): void {
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(
    join(resultsFolder, `${results.name}.json`),
    `${JSON.stringify(results, null, 2)}\n`,
  );
}
/** Undefined when it has not been measured. */
export function readResults(name: string): Results | undefined {
  return read(name) as Results | undefined;
}
export function readFigures(name: string): FigureResults | undefined {
  return read(name) as FigureResults | undefined;
}
function read(name: string): unknown {
  const file = join(resultsFolder, `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
