/**
 * Rows through an exchange by key, and with a running sum behind it.
 *
 *   shuffle    keyBy of (100-byte string of 100,000, number), then a map
 *   numbers    keyBy of (whole number, number), then a map
 *   keyedsum   keyBy of (100-byte string of 100,000, number), running sum, an update per record
 *
 * The loops encode every row into the buffer of one of two channels by the hash of its key, and decode it there: one thread, whatever the
 * parallelism beside it. The sums are in a `Map`, or in an open-addressing table.
 */
import { type Env, t } from "@millrace/api";
import { type Benchmark, type Deployment, engine, type Run } from "../benchmark.ts";
import { keyCount, shuffled, stringsOf } from "../data.ts";
import { Channels, type Receive } from "../loops/channel.ts";
import { NumberChannels } from "../loops/number-channel.ts";
import { SumTable } from "../loops/sum-table.ts";
import { discard, records } from "../streams.ts";

interface Row {
  readonly key: string;
  readonly n: number;
}
const keys = stringsOf(keyCount);
const rows: readonly Row[] = shuffled(keyCount).map((at, i) => ({
  key: keys[at] ?? "",
  n: i % 1_000,
}));
const noRow: Row = { key: "", n: 0 };
const rowAt = (i: number): Row => rows[i % keyCount] ?? noRow;
const rowType = t.object({ key: t.string, n: t.float64 });
/** Of key and number, so that neither can be left out. */
const foldOf = (key: string, n: number): number => n + key.charCodeAt(7);

interface Numbers {
  readonly a: number;
  readonly b: number;
}
const numbers: readonly Numbers[] = shuffled(4_096).map((a, i) => ({ a, b: i * 3 }));
const noNumbers: Numbers = { a: 0, b: 0 };
const numbersAt = (i: number): Numbers => numbers[i & 4_095] ?? noNumbers;

function shuffle(env: Env, run: Run): void {
  records(env, run, rowAt, { type: rowType })
    .keyBy("key")
    .map((row) => foldOf(row.key, row.n))
    .sinkTo(discard<number>(run, (value) => value))
    .uid("out");
}
function keyedSum(env: Env, run: Run): void {
  records(env, run, rowAt, { type: rowType })
    .keyBy("key")
    .sum("n")
    .uid("sums")
    .sinkTo(discard<Row>(run, (row) => foldOf(row.key, row.n)))
    .uid("out");
}
function twoNumbers(env: Env, run: Run): void {
  records(env, run, numbersAt, { type: t.object({ a: t.int32, b: t.float64 }) })
    .keyBy("a")
    .map((row) => row.a + row.b)
    .sinkTo(discard<number>(run, (value) => value))
    .uid("out");
}

function exchanged({ records: count, warm, probe }: Run, receive: Receive): void {
  const next = probe.source(rowAt, warm);
  const channels = new Channels(2, (key, value, hash) => {
    receive(key, value, hash);
    probe.count += 1;
  });
  for (let i = 0; i < count; i++) {
    const row = next(i);
    channels.send(row.key, row.n);
  }
  channels.flush();
  probe.end();
}
function shuffleByHand(run: Run): void {
  const { probe } = run;
  exchanged(run, (key, n) => {
    probe.fold = (probe.fold + foldOf(key, n)) | 0;
  });
}
function sumsInMap(run: Run): void {
  const { probe } = run;
  const sums = new Map<string, Row>();
  exchanged(run, (key, n) => {
    const updated = { key, n: (sums.get(key)?.n ?? 0) + n };
    sums.set(key, updated);
    probe.fold = (probe.fold + foldOf(updated.key, updated.n)) | 0;
  });
}
function sumsInTable(run: Run): void {
  const { probe } = run;
  const sums = new SumTable(keyCount);
  exchanged(run, (key, value, hash) => {
    const updated = { key, n: sums.add(key, hash, value) };
    probe.fold = (probe.fold + foldOf(updated.key, updated.n)) | 0;
  });
}
function numbersByHand({ records: count, warm, probe }: Run): void {
  const next = probe.source(numbersAt, warm);
  let [out, fold] = [0, 0];
  const channels = new NumberChannels(2, (a, b) => {
    fold = (fold + a + b) | 0;
    out += 1;
  });
  for (let i = 0; i < count; i++) {
    const row = next(i);
    channels.send(row.a, row.b);
  }
  channels.flush();
  probe.count += out;
  probe.fold = fold;
  probe.end();
}

type Shape = Pick<Benchmark, "what" | "builds" | "loops"> & { readonly base: string };
const shapes = {
  shuffle: {
    base: "shuffle",
    what: "keyBy of (100-byte string, number), then a map",
    builds: { [engine]: shuffle },
    loops: { "by hand": shuffleByHand },
  },
  keyedsum: {
    base: "keyedsum",
    what: "keyBy of (100-byte string of 100,000, number), running sum",
    builds: { [engine]: keyedSum },
    loops: { "by hand, Map": sumsInMap, "by hand, table": sumsInTable },
  },
  numbers: {
    base: "numbers",
    what: "keyBy of (whole number, number), then a map",
    builds: { [engine]: twoNumbers },
    loops: { "by hand": numbersByHand },
  },
} as const satisfies Readonly<Record<string, Shape>>;

function benchmark(
  { base, what, builds, loops }: Shape,
  suffix: string,
  rest: {
    readonly records: number;
    readonly flinkNs?: string;
    readonly aim?: string;
    readonly parallelism?: number;
    readonly deployment?: Deployment;
  },
): Benchmark {
  const name = `${base}-${suffix}`;
  return { name, what, builds, loops, parallelism: 1, deployment: "in process", ...rest };
}
const two = { parallelism: 2, deployment: "one runner" } as const;

export const keyedRows: readonly Benchmark[] = [
  benchmark(shapes.shuffle, "p1", { records: 4_000_000, flinkNs: "868", aim: "≤ 200" }),
  benchmark(shapes.shuffle, "p2", { records: 8_000_000, flinkNs: "717", aim: "≤ 240", ...two }),
  benchmark(shapes.keyedsum, "p1", { records: 4_000_000, flinkNs: "1,642", aim: "≤ 300" }),
  benchmark(shapes.keyedsum, "p2", { records: 8_000_000, flinkNs: "1,482", aim: "≤ 400", ...two }),
  benchmark(shapes.numbers, "p1", { records: 20_000_000 }),
  benchmark(shapes.numbers, "p2", { records: 40_000_000, ...two, aim: "wall ≤ 33" }),
  benchmark(shapes.numbers, "tcp", {
    records: 40_000_000,
    ...two,
    deployment: "runners",
    aim: "≤ 1.6 × p2",
  }),
  {
    name: "checkpoint-tax",
    what: "keyedsum with a checkpoint every second, all keys changed; beside one without",
    parallelism: 1,
    deployment: "one runner",
    records: 10_000_000,
    aim: "engine / without ≤ 1.05",
    builds: { [engine]: keyedSum, "no checkpoints": keyedSum },
    modules: {
      [engine]: "job-every-second.ts",
      "no checkpoints": "job-without-checkpoints.ts",
    },
    loops: {},
  },
];
