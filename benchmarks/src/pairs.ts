/**
 * Variants of a benchmark in turns, A-B-A-B, each run in a fresh process.
 *
 * PAI-1  All variants run once in every round; who begins moves on, so that no variant always follows the same other.
 * PAI-2  Ratios are of runs of the same round. Runs that come to other results are no measurement.
 */
import { type Benchmark, engine } from "./benchmark.ts";
import type { LocalCluster } from "./local-cluster.ts";
import { type Measured, runVariant } from "./run-variant.ts";
import { variantsOf } from "./variant.ts";

/** Minimum, median, maximum. */
export type Spread = readonly [number, number, number];

export interface VariantRow {
  readonly variant: string;
  readonly cpuNs: Spread;
  readonly wallNs: Spread;
  /** Of CPU: the engine over this one, round by round. */
  readonly ratio: Spread;
  readonly peakRssMb: number;
  readonly gcShare: number;
}
export interface PairsOptions {
  readonly pairs: number;
  readonly records: number;
  readonly cluster: LocalCluster | undefined;
  readonly onRun?: (variant: string, measured: Measured) => void;
}

export async function measurePairs(
  benchmark: Benchmark,
  { pairs, records, cluster, onRun }: PairsOptions,
): Promise<readonly VariantRow[]> {
  const variants = variantsOf(benchmark);
  const runs = new Map<string, Measured[]>(variants.map((variant) => [variant, []]));
  for (let round = 0; round < pairs; round++) {
    const first = round % variants.length;
    const checksums = new Map<string, string>();
    for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
      const measured = await runVariant(benchmark, variant, { records, cluster });
      onRun?.(variant, measured);
      runs.get(variant)?.push(measured);
      checksums.set(variant, measured.checksum);
    }
    assertSame(benchmark.name, checksums);
  }
  const engineRuns = runs.get(engine) ?? [];
  return variants.map((variant) => rowOf(variant, runs.get(variant) ?? [], engineRuns));
}

export function assertSame(name: string, checksums: ReadonlyMap<string, string>): void {
  if (new Set(checksums.values()).size > 1)
    throw new Error(`${name}: results differ: ${JSON.stringify([...checksums])}`);
}

export function rowOf(
  variant: string,
  runs: readonly Measured[],
  engineRuns: readonly Measured[],
): VariantRow {
  return {
    variant,
    cpuNs: spread(runs.map((run) => run.cpuNs)),
    wallNs: spread(runs.map((run) => run.wallNs)),
    ratio: spread(
      runs.map((run, i) => (engineRuns[i]?.cpuNs ?? Number.NaN) / run.cpuNs),
      2,
    ),
    peakRssMb: spread(runs.map((run) => run.peakRssMb))[1],
    gcShare: spread(
      runs.map((run) => run.gcShare),
      3,
    )[1],
  };
}

export function spread(values: readonly number[], digits = 1): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => {
    const scale = 10 ** digits;
    return Math.round((sorted[index] ?? Number.NaN) * scale) / scale;
  };
  return [at(0), at(Math.floor(sorted.length / 2)), at(sorted.length - 1)];
}

/** p50, p99 and p99.9: the value that so many are not above. */
export function quantiles(values: ArrayLike<number>): readonly [number, number, number] {
  const sorted = Float64Array.from(values).sort();
  const at = (q: number): number => sorted[Math.ceil(sorted.length * q) - 1] ?? Number.NaN;
  return [at(0.5), at(0.99), at(0.999)];
}
