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

/** Node does not count shared buffers: these are remembered when they are made. */
const sharedBuffers: WeakRef<SharedArrayBuffer>[] = [];
globalThis.SharedArrayBuffer = new Proxy(SharedArrayBuffer, {
  construct(target, args: [number, { maxByteLength?: number }?]) {
    const buffer = new target(...args);
    sharedBuffers.push(new WeakRef(buffer));
    return buffer;
  },
});

function measure(file: string): void {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const shared = sharedBuffers.reduce((sum, ref) => sum + (ref.deref()?.byteLength ?? 0), 0);
  writeFileSync(file, String(heapUsed + external + shared));
}

interface Kept {
  readonly keys: number;
  /** As many for every number of keys, so that as much is under way. */
  readonly records: number;
  readonly file: string;
}
/** Measures when the last record is made: a few thousand before it are still under way, and no window has closed. */
function inEngine(kind: KeyKind, { keys, records, file }: Kept) {
  return (env: Env): void => {
    const isText = kind.includes("string");
    const stream = env
      .fromSource(
        generatorSource<Row>({
          count: records,
          create(i) {
            if (i === records - 1) measure(file);
            return { key: isText ? stringKey(i % keys) : i % keys, n: 1, at: 0 };
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
function inMap(isText: boolean, { keys, file }: Kept): number {
  const map = new Map<string | number, { sum: number; count: number }>();
  for (let i = 0; i < keys; i++) map.set(isText ? stringKey(i) : i, { sum: i + 0.5, count: 1 });
  measure(file);
  return map.size;
}

async function main([name = "", keys, records, file = ""]: readonly string[]): Promise<void> {
  const kind = keyKinds.find((each) => each === name);
  if (kind === undefined) return;
  const kept: Kept = { keys: Number(keys), records: Number(records), file };
  if (kind.startsWith("Map")) {
    inMap(kind.includes("string"), kept);
    return;
  }
  const cluster = await MiniCluster.start({ checkMutations: false });
  const job = defineJob({ name: "key-bytes" }, inEngine(kind, kept));
  await (await cluster.submit(job)).ended;
  await cluster.close();
}
await main(process.argv.slice(2));
