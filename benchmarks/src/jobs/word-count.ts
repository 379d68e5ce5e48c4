/**
 * Lines of about 13 words of a vocabulary of 10,000: flatMap, keyBy(word), running sum. Figures are per line. The loops send every word
 * through the channels of `keyed-rows`.
 */
import { type Emit, type Env, t } from "@millrace/api";
import { type Benchmark, engine, type Run } from "../benchmark.ts";
import { linesOf } from "../data.ts";
import { Channels } from "../loops/channel.ts";
import { SumTable } from "../loops/sum-table.ts";
import { discard, records } from "../streams.ts";

interface Count {
  readonly word: string;
  readonly n: number;
}
const lines = linesOf(4_096);
const lineAt = (i: number): string => lines[i & 4_095] ?? "";
const vocabulary = 10_000;
const foldOf = (word: string, n: number): number => n + word.charCodeAt(1);

function split(line: string, emit: Emit<Count>): void {
  for (const word of line.split(" ")) emit({ word, n: 1 });
}
function wordCount(env: Env, run: Run): void {
  records(env, run, lineAt, { type: t.string })
    .flatMap(split, t.object({ word: t.string, n: t.float64 }))
    .keyBy("word")
    .sum("n")
    .uid("counts")
    .sinkTo(discard<Count>(run, (row) => foldOf(row.word, row.n)))
    .uid("out");
}

function byHand(
  { records: count, warm, probe }: Run,
  add: (word: string, hash: number, n: number) => number,
): void {
  const next = probe.source(lineAt, warm);
  const channels = new Channels(2, (word, n, hash) => {
    const updated = { word, n: add(word, hash, n) };
    probe.fold = (probe.fold + foldOf(updated.word, updated.n)) | 0;
    probe.count += 1;
  });
  for (let i = 0; i < count; i++) for (const word of next(i).split(" ")) channels.send(word, 1);
  channels.flush();
  probe.end();
}
function inMap(run: Run): void {
  const sums = new Map<string, number>();
  byHand(run, (word, _hash, n) => {
    const sum = (sums.get(word) ?? 0) + n;
    sums.set(word, sum);
    return sum;
  });
}
function inTable(run: Run): void {
  const sums = new SumTable(vocabulary);
  byHand(run, (word, hash, n) => sums.add(word, hash, n));
}

const shape = {
  what: "lines of 13 words: flatMap, keyBy(word), running sum; per line",
  builds: { [engine]: wordCount },
  loops: { "by hand, Map": inMap, "by hand, table": inTable },
} as const;

export const wordCounts: readonly Benchmark[] = [
  {
    name: "wordcount-p1",
    ...shape,
    records: 600_000,
    parallelism: 1,
    deployment: "in process",
    flinkNs: "6,000",
    aim: "≤ 2,000",
  },
  {
    name: "wordcount-p2",
    ...shape,
    records: 1_200_000,
    parallelism: 2,
    deployment: "one runner",
    flinkNs: "6,350",
    aim: "≤ 2,300",
  },
];
