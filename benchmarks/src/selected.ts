/** Benchmarks by the names that a person gives. */
import { nearest } from "@millrace/base";
import { benchmarks } from "./all.ts";
import type { Benchmark } from "./benchmark.ts";
import { experiments } from "./experiments/all.ts";
import type { Experiment } from "./experiments/experiment.ts";

export interface Selected {
  readonly benchmarks: readonly Benchmark[];
  readonly experiments: readonly Experiment[];
}
/** Those named; a name that is none but begins others ("shuffle") means all of these; all when none is named. */
export function selected(names: readonly string[]): Selected {
  const all = [...benchmarks, ...experiments].map(({ name }) => name);
  const wanted = new Set<string>(names.length === 0 ? all : []);
  for (const name of names) {
    const family = all.filter((each) => each.startsWith(`${name}-`));
    const meant = all.includes(name) ? [name] : family;
    if (meant.length === 0) throw new UnknownName(name);
    for (const each of meant) wanted.add(each);
  }
  return {
    benchmarks: benchmarks.filter(({ name }) => wanted.has(name)),
    experiments: experiments.filter(({ name }) => wanted.has(name)),
  };
}

export class UnknownName extends Error {
  constructor(name: string) {
    const names = [...benchmarks, ...experiments].map((each) => each.name);
    const families = names.map((each) => each.replace(/-[^-]*$/, ""));
    const near = nearest(name, [...new Set([...families, ...names])]);
    super(
      `there is no benchmark "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}\n  ${names.join(" ")}`,
    );
  }
}
