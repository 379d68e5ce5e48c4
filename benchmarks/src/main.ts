/**
 * `pnpm bench [name …] [--pairs n] [--quick]`: measures, writes `results/<name>.json` and the table of the README.
 *
 * `--quick` runs two pairs of a tenth of the records, and writes nothing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchmarks, selected, UnknownName } from "./all.ts";
import type { Benchmark } from "./benchmark.ts";
import { LocalCluster, layoutOf } from "./local-cluster.ts";
import { measurePairs } from "./pairs.ts";
import { tableOf, withTable } from "./report.ts";
import { type Results, readResults, where, writeResults } from "./results.ts";

const fewestPairs = 5;

async function bench(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { pairs: { type: "string" }, quick: { type: "boolean", default: false } },
  });
  const { quick } = values;
  const pairs = Number(values.pairs ?? (quick ? 2 : fewestPairs));
  if (!Number.isInteger(pairs) || pairs < 1) throw new TypeError("--pairs: a whole number from 1");
  for (const benchmark of selected(positionals)) {
    const results = await measure(benchmark, { pairs, quick });
    const fresh = (name: string) => (name === benchmark.name ? results : undefined);
    print(tableOf([benchmark], fresh));
    if (quick || pairs < fewestPairs) continue;
    writeResults(results);
    const readme = join(import.meta.dirname, "../README.md");
    const table = tableOf(benchmarks, readResults);
    writeFileSync(readme, withTable(readFileSync(readme, "utf8"), table));
  }
  if (quick || pairs < fewestPairs)
    print(`not written: that takes ${fewestPairs} pairs or more at full size`);
}

async function measure(
  benchmark: Benchmark,
  { pairs, quick }: { readonly pairs: number; readonly quick: boolean },
): Promise<Results> {
  const { name, deployment, parallelism } = benchmark;
  const records = quick ? Math.ceil(benchmark.records / 10) : benchmark.records;
  print(`${name}: ${benchmark.what}`);
  const at = where();
  const layout = layoutOf(deployment, parallelism);
  await using cluster = layout === undefined ? undefined : await LocalCluster.start(layout);
  const rows = await measurePairs(benchmark, {
    ...{ pairs, records, cluster },
    onRun: (variant, { cpuNs, wallNs }) =>
      print(`  ${variant}: ${cpuNs.toFixed(1)} ns CPU, ${wallNs.toFixed(1)} ns wall`),
  });
  return { ...at, name, records, pairs, rows };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await bench(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof UnknownName ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UnknownName || error instanceof TypeError ? 2 : 1;
}
