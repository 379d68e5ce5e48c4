/** All benchmarks of the data path, in the order of the report. */
import { nearest } from "@millrace/base";
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
  if (found === undefined) throw new UnknownName(name);
  return found;
}

/** Those named; a name that others begin with ("shuffle") means all of these; all when none is named. */
export function selected(names: readonly string[]): readonly Benchmark[] {
  if (names.length === 0) return benchmarks;
  const wanted = new Set<Benchmark>();
  for (const name of names) {
    const exact = benchmarks.filter((benchmark) => benchmark.name === name);
    const family = benchmarks.filter((benchmark) => benchmark.name.startsWith(`${name}-`));
    if (exact.length + family.length === 0) throw new UnknownName(name);
    for (const benchmark of [...exact, ...family]) wanted.add(benchmark);
  }
  return benchmarks.filter((benchmark) => wanted.has(benchmark));
}

export class UnknownName extends Error {
  constructor(name: string) {
    const names = benchmarks.map((benchmark) => benchmark.name);
    const families = names.map((each) => each.replace(/-[^-]*$/, ""));
    const near = nearest(name, [...new Set([...families, ...names])]);
    super(
      `there is no benchmark "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}\n  ${names.join(" ")}`,
    );
  }
}
