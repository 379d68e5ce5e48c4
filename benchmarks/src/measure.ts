/** CPU per record of a job beside its hand-written loop, in turns in one process, with results compared. */
import { MiniCluster } from "@millrace/minicluster";
import type { BenchmarkJob, Checksum } from "./jobs.ts";

/** Minimum, median, maximum. */
export type Spread = readonly [number, number, number];

export interface Row {
  readonly name: string;
  readonly records: number;
  /** Of CPU, user and system, of the whole process, a record. */
  readonly engineNs: Spread;
  readonly handNs: Spread;
  /** Of the pairs: engine over loop. */
  readonly ratio: Spread;
}

/** One pair more is run first and does not count: both are compiled then. Who begins alternates. */
export async function measurePairs(benchmark: BenchmarkJob, pairs: number): Promise<Row> {
  const { name, records } = benchmark;
  const engineNs: number[] = [];
  const handNs: number[] = [];
  for (let pair = -1; pair < pairs; pair++) {
    const runs = [
      { into: engineNs, run: () => runEngine(benchmark, records) },
      { into: handNs, run: async () => benchmark.byHand(records) },
    ];
    const results: number[] = [];
    for (const { into, run } of pair % 2 === 0 ? runs : runs.toReversed()) {
      const { result, cpuNs } = await measured(run);
      results.push(result);
      if (pair >= 0) into.push(cpuNs / records);
    }
    if (results[0] !== results[1])
      throw new Error(`${name}: the engine and the loop differ: ${results.join(" and ")}`);
  }
  const ratios = engineNs.map((ns, i) => ns / (handNs[i] ?? Number.NaN));
  return {
    ...{ name, records },
    ...{ engineNs: spread(engineNs), handNs: spread(handNs), ratio: spread(ratios) },
  };
}

/** Its checksum. */
export async function runEngine(benchmark: BenchmarkJob, records: number): Promise<number> {
  const result: Checksum = { value: 0 };
  const cluster = await MiniCluster.start({ checkMutations: false });
  try {
    await (await cluster.submit(benchmark.job(records, result))).ended;
    return result.value;
  } finally {
    await cluster.close();
  }
}

async function measured(
  run: () => Promise<number>,
): Promise<{ readonly result: number; readonly cpuNs: number }> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuNs: (user + system) * 1_000 };
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => Math.round((sorted[index] ?? Number.NaN) * 10) / 10;
  return [at(0), at(Math.floor(sorted.length / 2)), at(sorted.length - 1)];
}
