/** The process of `key-bytes`: keeps so many keys in one way, and writes how much memory is in use then. */
import { writeFileSync } from "node:fs";
import {
  agg,
  defineJob,
  defineSink,
  type Env,
  generatorSource,
  state,
  TumblingEventTimeWindows,
  type Type,
  t,
  Watermarks,
} from "@millrace/api";
import { MiniCluster } from "@millrace/minicluster";

export const keyKinds = [
  "state, whole-number key",
  "state, 16-byte string key",
  "window, whole-number key",
  "window, 16-byte string key",
  "Map of objects, whole-number key",
  "Map of objects, 16-byte string key",
] as const;
export type KeyKind = (typeof keyKinds)[number];

interface Row {
  readonly key: string | number;
  readonly n: number;
  readonly at: number;
}
const stringKey = (i: number): string => `key-${String(i).padStart(12, "0")}`;
const numberRow: unknown = t.object({ key: t.int32, n: t.float64, at: t.timestamp });
const textRow: unknown = t.object({ key: t.string, n: t.float64, at: t.timestamp });
const total = t.object({ sum: t.float64, count: t.float64 });

const nowhere = () =>
  defineSink<unknown>({
    name: "nowhere",
    kind: "at-least-once",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({ write() {}, flush() {} }),
  });

function measure(file: string): void {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(file, String(heapUsed + external));
}

/** Measures when the last record is made: a few thousand before it are still under way, and no window has closed. */
function inEngine(kind: KeyKind, keys: number, file: string) {
  return (env: Env): void => {
    const isText = kind.includes("string");
    const stream = env
      .fromSource(
        generatorSource<Row>({
          count: keys,
          create(i) {
            if (i === keys - 1) measure(file);
            return { key: isText ? stringKey(i) : i, n: 1, at: 0 };
          },
          type: isText ? (textRow as Type<Row>) : (numberRow as Type<Row>),
        }),
        Watermarks.monotonous<Row>({ timestamps: "at" }),
      )
      .uid("in")
      .keyBy("key");
    if (kind.startsWith("window"))
      stream
        .window(TumblingEventTimeWindows.of("1d"))
        .aggregate({ sum: agg.sum("n"), count: agg.count() })
        .uid("totals")
        .sinkTo(nowhere())
        .uid("out");
    else
      stream
        .process({
          state: { total: state.value(total, { default: { sum: 0, count: 0 } }) },
          output: total,
          onElement(row, ctx) {
            const { sum, count } = ctx.state.total.value();
            ctx.state.total.update({ sum: sum + row.n, count: count + 1 });
          },
        })
        .uid("totals")
        .sinkTo(nowhere())
        .uid("out");
  };
}
function inMap(isText: boolean, keys: number, file: string): number {
  const map = new Map<string | number, { sum: number; count: number }>();
  for (let i = 0; i < keys; i++) map.set(isText ? stringKey(i) : i, { sum: i + 0.5, count: 1 });
  measure(file);
  return map.size;
}

async function main([kind = "", keys = "", file = ""]: readonly string[]): Promise<void> {
  const known = keyKinds.find((each) => each === kind);
  if (known === undefined) return;
  if (known.startsWith("Map")) {
    inMap(known.includes("string"), Number(keys), file);
    return;
  }
  const cluster = await MiniCluster.start({ checkMutations: false });
  const job = defineJob({ name: "key-bytes" }, inEngine(known, Number(keys), file));
  await (await cluster.submit(job)).ended;
  await cluster.close();
}
await main(process.argv.slice(2));
