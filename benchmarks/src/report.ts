/** The table of the README, made from the results; a test compares them. */
import type { BenchmarkJob } from "./jobs.ts";
import type { Row, Spread } from "./measure.ts";

export interface Results {
  readonly date: string;
  /** The last that changed `packages`. */
  readonly commit: string;
  readonly node: string;
  readonly cpus: number;
  /** Processes that wanted a CPU in the minute before the first pair; the measurement itself is one. */
  readonly loadBefore: number;
  readonly pairs: number;
  readonly rows: readonly Row[];
}

const begin = "<!-- results: written by baseline.ts -->";
const end = "<!-- end of results -->";

export function reportOf(results: Results, jobs: readonly BenchmarkJob[]): string {
  const { date, commit, node, cpus, loadBefore, pairs } = results;
  const rows = results.rows.map(({ name, engineNs, handNs, ratio }) => {
    const flink = jobs.find((job) => job.name === name)?.flinkNs ?? "";
    return `| ${name} | ${triple(engineNs)} | ${triple(handNs)} | ${triple(ratio, 1)} | ${flink} |`;
  });
  return [
    `Measured on ${date} at commit ${commit} with Node ${node}, ${pairs} pairs, on ${cpus} CPUs shared with other work (load`,
    `${loadBefore} before it began). Minimum/median/maximum:`,
    "",
    "| job | here | by hand | ratio | Flink |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** The README with this report in the place of the one it had. */
export function withReport(readme: string, report: string): string {
  const [before, rest] = halves(readme, begin);
  const [, after] = halves(rest, end);
  return `${before}${begin}\n\n${report}\n\n${end}${after}`;
}

function halves(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`the README has no "${mark}"`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

const triple = (values: Spread, digits = 0): string =>
  values
    .map((value) =>
      value.toLocaleString("en-US", {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }),
    )
    .join("/");
