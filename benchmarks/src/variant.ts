/** One run of one variant, described as data: it goes to the process that runs it as an argument. */
import { type Benchmark, warmShare } from "./benchmark.ts";

export interface VariantRun {
  readonly benchmark: string;
  /** Of the benchmark's builds or loops. */
  readonly variant: string;
  readonly records: number;
  readonly warm: number;
  readonly folder: string;
  /** Of the probe. */
  readonly file: string;
  readonly profile?: string;
}

export function variantsOf(benchmark: Benchmark): readonly string[] {
  return [...Object.keys(benchmark.builds), ...Object.keys(benchmark.loops)];
}

/** So many records are measured in all. */
export function measuredRecords(benchmark: Benchmark, records: number): number {
  return (records - warmOf(records)) * (benchmark.sources ?? 1);
}
export function warmOf(records: number): number {
  return Math.floor(records * warmShare);
}
