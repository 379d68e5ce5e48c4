/**
 * Aggregates by whole-number key: a sum and a count for each key, over records that come in no order of keys.
 *
 *   aggregate   built-in aggregates of a window that closes at the end of data: columns all the way
 *   state       a function that reads and writes declared state {sum, count}, and emits what it wrote
 *
 * The loop has an open-addressing table with typed arrays; "with exchange" sends keys and numbers through columns of two channels first.
 */
import { agg, type Env, state, TumblingEventTimeWindows, t, Watermarks } from "@millrace/api";
import { type Benchmark, engine, type Run } from "../benchmark.ts";
import { shuffled } from "../data.ts";
import { NumberChannels } from "../loops/number-channel.ts";
import { PairTable } from "../loops/pair-table.ts";
import { discard, records } from "../streams.ts";

interface Row {
  readonly key: number;
  readonly n: number;
  readonly at: number;
}
interface Total {
  readonly key: number;
  readonly sum: number;
  readonly count: number;
}
const rowType = t.object({ key: t.int32, n: t.float64, at: t.timestamp });
const totalType = t.object({ sum: t.float64, count: t.float64 });
const foldOf = (key: number, sum: number, count: number): number => key + sum + count;
const minuteMs = 60_000;

function rowsOf(keys: number): (i: number) => Row {
  let order: Int32Array | undefined;
  return (i) => {
    order ??= Int32Array.from(shuffled(keys));
    return { key: order[i % keys] ?? 0, n: i & 1_023, at: i % minuteMs };
  };
}

const windowed =
  (keys: number) =>
  (env: Env, run: Run): void => {
    records(env, run, rowsOf(keys), {
      type: rowType,
      watermarks: Watermarks.boundedOutOfOrderness("1m", { timestamps: "at" }),
    })
      .keyBy("key")
      .window(TumblingEventTimeWindows.of("1d"))
      .aggregate({ sum: agg.sum("n"), count: agg.count() }, ({ sum, count }, { key }): Total => {
        return { key, sum, count };
      })
      .uid("totals")
      .sinkTo(discard<Total>(run, (row) => foldOf(row.key, row.sum, row.count)))
      .uid("out");
  };
const stateful =
  (keys: number) =>
  (env: Env, run: Run): void => {
    records(env, run, rowsOf(keys), { type: rowType })
      .keyBy("key")
      .process({
        state: { total: state.value(totalType, { default: { sum: 0, count: 0 } }) },
        output: t.object({ key: t.int32, sum: t.float64, count: t.float64 }),
        onElement(row, ctx) {
          const before = ctx.state.total.value();
          const total = { sum: before.sum + row.n, count: before.count + 1 };
          ctx.state.total.update(total);
          ctx.collect({ key: row.key, sum: total.sum, count: total.count });
        },
      })
      .uid("totals")
      .sinkTo(discard<Total>(run, (row) => foldOf(row.key, row.sum, row.count)))
      .uid("out");
  };

/** What comes after each record, or after all of them. */
type Emit = "each" | "end";
const byHand =
  (keys: number, emit: Emit, exchange: boolean) =>
  ({ records: count, warm, probe }: Run): void => {
    const next = probe.source(rowsOf(keys), warm);
    const table = new PairTable(keys);
    const add = (key: number, n: number): void => {
      const row = table.add(key, n);
      if (emit === "end") return;
      probe.fold = (probe.fold + foldOf(key, table.sumOf(row), table.countOf(row))) | 0;
      probe.count += 1;
    };
    if (exchange) {
      const channels = new NumberChannels(2, add);
      for (let i = 0; i < count; i++) {
        const row = next(i);
        channels.send(row.key, row.n);
      }
      channels.flush();
    } else
      for (let i = 0; i < count; i++) {
        const row = next(i);
        add(row.key, row.n);
      }
    if (emit === "end")
      for (let row = 0; row < table.rows; row++) {
        const total = { key: table.keyOf(row), sum: table.sumOf(row), count: table.countOf(row) };
        probe.fold = (probe.fold + foldOf(total.key, total.sum, total.count)) | 0;
        probe.count += 1;
      }
    probe.end();
  };

const shape = {
  parallelism: 1,
  deployment: "in process",
  aim: "engine / loop ≤ 2",
} as const;
const sizes = [
  { suffix: "10k", keys: 10_000, records: 16_000_000 },
  { suffix: "1m", keys: 1_000_000, records: 8_000_000 },
] as const;

export const aggregates: readonly Benchmark[] = sizes.flatMap(({ suffix, keys, records }) => [
  {
    name: `aggregate-${suffix}`,
    what: `sum and count in a window, ${suffix} whole-number keys`,
    ...{ ...shape, records },
    builds: { [engine]: windowed(keys) },
    loops: {
      "by hand": byHand(keys, "end", false),
      "by hand, with exchange": byHand(keys, "end", true),
    },
  },
  {
    name: `state-${suffix}`,
    what: `{sum, count} read and written by a function, ${suffix} whole-number keys`,
    ...{ ...shape, records: 8_000_000 },
    builds: { [engine]: stateful(keys) },
    loops: {
      "by hand": byHand(keys, "each", false),
      "by hand, with exchange": byHand(keys, "each", true),
    },
  },
]);
