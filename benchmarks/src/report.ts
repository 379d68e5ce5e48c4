/** The tables of `figures.md`, made from the results; a test compares them. */
import { type Benchmark, engine } from "./benchmark.ts";
import type { Spread, VariantRow } from "./pairs.ts";
import type { FigureResults, Results, Where } from "./results.ts";

const begin = "<!-- results: written by pnpm bench -->";
const end = "<!-- end of results -->";

export function tableOf(
  benchmarks: readonly Benchmark[],
  resultsOf: (name: string) => Results | undefined,
): string {
  const lines = benchmarks.flatMap((benchmark) => {
    const results = resultsOf(benchmark.name);
    return results === undefined ? [] : results.rows.map((row) => lineOf(benchmark, results, row));
  });
  return [
    "| benchmark | variant | CPU ns | wall ns | engine / it | RSS MB | GC | aim | Flink | commit, load |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}
function lineOf(benchmark: Benchmark, results: Results, row: VariantRow): string {
  const isEngine = row.variant === engine;
  const cells = [
    isEngine ? `**${benchmark.name}**` : "",
    row.variant,
    triple(row.cpuNs),
    triple(row.wallNs),
    isEngine ? "" : triple(row.ratio, 2),
    row.peakRssMb.toFixed(0),
    `${(row.gcShare * 100).toFixed(1)} %`,
    isEngine ? (benchmark.aim ?? "") : "",
    isEngine ? (benchmark.flinkNs ?? "") : "",
    isEngine ? takenAt(results) : "",
  ];
  return `| ${cells.join(" | ")} |`;
}

const takenAt = ({ commit, loadBefore }: Where): string => `${commit}, ${loadBefore.toFixed(1)}`;

export function figuresTableOf(
  names: readonly string[],
  resultsOf: (name: string) => FigureResults | undefined,
): string {
  const lines = names.flatMap((name) => {
    const results = resultsOf(name);
    if (results === undefined) return [];
    return results.figures.map(({ figure, unit, values, aim = "", flink = "" }, i) => {
      const shown = `${triple(values, digitsOf(values))} ${unit}`;
      const [label, taken] = i === 0 ? [`**${name}**`, takenAt(results)] : ["", ""];
      return `| ${[label, figure, shown, aim, flink, taken].join(" | ")} |`;
    });
  });
  return [
    "| benchmark | figure | here | aim | Flink | commit, load |",
    "|---|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}
const digitsOf = ([, median]: Spread): number => (median < 10 ? 2 : median < 100 ? 1 : 0);

/** Both tables. */
export function reportOf(
  benchmarks: readonly Benchmark[],
  experiments: readonly string[],
  read: {
    readonly results: (name: string) => Results | undefined;
    readonly figures: (name: string) => FigureResults | undefined;
  },
): string {
  return `${tableOf(benchmarks, read.results)}\n\n${figuresTableOf(experiments, read.figures)}`;
}

/** The page with this report in the place of the one it had. */
export function withReport(page: string, report: string): string {
  const [before, rest] = halves(page, begin);
  const [, after] = halves(rest, end);
  return `${before}${begin}\n\n${report}\n\n${end}${after}`;
}
function halves(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`the page has no "${mark}"`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

/** Minimum/median/maximum; one decimal below 100. */
export function triple(values: Spread, digits?: number): string {
  return values.map((value) => number(value, digits ?? (value < 100 ? 1 : 0))).join("/");
}
function number(value: number, digits: number): string {
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
