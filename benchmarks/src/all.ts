/** All benchmarks of the data path, in the order of the report. */
import type { Benchmark } from "./benchmark.ts";
import { aggregates } from "./jobs/aggregates.ts";
import { chains } from "./jobs/chains.ts";
import { files } from "./jobs/files.ts";
import { keyedRows } from "./jobs/keyed-rows.ts";
import { nexmark } from "./jobs/nexmark.ts";
import { wordCounts } from "./jobs/word-count.ts";

export const benchmarks: readonly Benchmark[] = [
  ...chains,
  ...keyedRows,
  ...wordCounts,
  ...aggregates,
  ...nexmark,
  ...files,
];

export function benchmarkOf(name: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (found === undefined) throw new Error(`there is no benchmark ${name}`);
  return found;
}
