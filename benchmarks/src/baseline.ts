/**
 * The first figures: CPU per record of each job beside a hand-written loop, in turns in one process.
 *
 *   node benchmarks/src/baseline.ts [pairs]      writes benchmarks/results/baseline.json and prints a table
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { MiniCluster } from "@millrace/minicluster";
import { type BenchmarkJob, type Checksum, jobs } from "./jobs.ts";

interface Row {
  readonly name: string;
  readonly records: number;
  readonly engineNs: readonly [number, number, number];
  readonly handNs: readonly [number, number, number];
  /** Median of the pairs' ratios, engine over hand-written. */
  readonly ratio: number;
}

const pairs = Number(process.argv[2] ?? 5);
const rows: Row[] = [];
for (const benchmark of jobs) {
  const engine: number[] = [];
  const hand: number[] = [];
  // One round that does not count: both are compiled then.
  for (let round = -1; round < pairs; round++) {
    const a = await measured(() => runEngine(benchmark));
    const b = await measured(async () => benchmark.byHand(benchmark.records));
    if (a.result !== b.result)
      throw new Error(`${benchmark.name}: the engine gives ${a.result}, the loop ${b.result}`);
    if (round < 0) continue;
    engine.push((a.cpuMs * 1e6) / benchmark.records);
    hand.push((b.cpuMs * 1e6) / benchmark.records);
  }
  const ratios = engine.map((ns, i) => ns / (hand[i] ?? 1));
  rows.push({
    name: benchmark.name,
    records: benchmark.records,
    engineNs: spread(engine),
    handNs: spread(hand),
    ratio: spread(ratios)[1],
  });
}
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const result = {
  date: new Date().toISOString().slice(0, 10),
  commit,
  node: process.version,
  cpus: cpus().length,
  pairs,
  rows,
};
const folder = join(import.meta.dirname, "../results");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "baseline.json"), `${JSON.stringify(result, null, 2)}\n`);
for (const row of rows) {
  process.stdout.write(
    `${row.name.padEnd(10)} ${row.engineNs.map(Math.round).join("/")} ns CPU a record, by hand ${row.handNs.map(Math.round).join("/")}, ratio ${row.ratio.toFixed(1)}\n`,
  );
}

async function runEngine(benchmark: BenchmarkJob): Promise<number> {
  const result: Checksum = { value: 0 };
  const cluster = await MiniCluster.start({ checkMutations: false });
  try {
    await (await cluster.submit(benchmark.job(benchmark.records, result))).ended;
    return result.value;
  } finally {
    await cluster.close();
  }
}
async function measured(
  run: () => Promise<number>,
): Promise<{ readonly result: number; readonly cpuMs: number }> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1_000 };
}
function spread(values: readonly number[]): [number, number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[0] ?? 0, sorted[Math.floor(sorted.length / 2)] ?? 0, sorted.at(-1) ?? 0];
}
