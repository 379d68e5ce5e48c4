/**
 * `pnpm bench [name …] [--pairs n] [--quick]`: measures, writes `results/<name>.json` and the tables of `figures.md`.
 *
 * `--quick` runs two pairs of a tenth of the records, and writes nothing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchmarks } from "./all.ts";
import type { Benchmark } from "./benchmark.ts";
import { experiments } from "./experiments/all.ts";
import type { Experiment } from "./experiments/experiment.ts";
import { endOnSignals, LocalCluster, layoutOf } from "./local-cluster.ts";
import { measurePairs } from "./pairs.ts";
import { figuresTableOf, reportOf, tableOf, withReport } from "./report.ts";
import {
  type FigureResults,
  type Results,
  readFigures,
  readResults,
  where,
  writeResults,
} from "./results.ts";
import { selected, UnknownName } from "./selected.ts";

const fewestPairs = 5;
const page = join(import.meta.dirname, "../figures.md");

async function bench(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { pairs: { type: "string" }, quick: { type: "boolean", default: false } },
  });
  const { quick } = values;
  const pairs = Number(values.pairs ?? (quick ? 2 : fewestPairs));
  if (!Number.isInteger(pairs) || pairs < 1) throw new TypeError("--pairs: a whole number from 1");
  const wanted = selected(positionals);
  const write = (results: Results | FigureResults): void => {
    if (quick || pairs < fewestPairs) return;
    writeResults(results);
    const names = experiments.map(({ name }) => name);
    const report = reportOf(benchmarks, names, { results: readResults, figures: readFigures });
    writeFileSync(page, withReport(readFileSync(page, "utf8"), report));
  };
  for (const benchmark of wanted.benchmarks) {
    const results = await measure(benchmark, { pairs, quick });
    print(tableOf([benchmark], () => results));
    write(results);
  }
  for (const experiment of wanted.experiments) {
    const results = await perform(experiment, quick);
    print(figuresTableOf([experiment.name], () => results));
    write(results);
  }
  if (quick || pairs < fewestPairs)
    print(`not written: that takes ${fewestPairs} pairs or more at full size`);
}

async function perform(experiment: Experiment, quick: boolean): Promise<FigureResults> {
  const { name, what } = experiment;
  print(`${name}: ${what}`);
  const at = where();
  return {
    ...{ ...at, name },
    figures: await experiment.run({ quick, onStep: (text) => print(`  ${text}`) }),
  };
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

endOnSignals();
try {
  await bench(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof UnknownName ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UnknownName || error instanceof TypeError ? 2 : 1;
}
