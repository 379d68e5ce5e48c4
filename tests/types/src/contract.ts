/** What must compile, with the exact types that must come out. Not run. */
import {
  type AggregateFunction,
  type Aggregation,
  agg,
  type BadRow,
  badRow,
  csv,
  type DataStream,
  defineJob,
  type Emit,
  type Env,
  generatorSource,
  type Infer,
  json,
  type KeyedStream,
  minutes,
  param,
  type Sink,
  state,
  TumblingEventTimeWindows,
  type Type,
  t,
  Watermarks,
} from "millrace";
import { fileSink, fileSource } from "millrace/files";
import { collect } from "millrace/run";

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
function is<_T extends true>(): void {}

const Flight = t.object({
  carrier: t.string,
  origin: t.string,
  scheduled: t.timestamp,
  delayMinutes: t.float64.nullable(),
  note: t.string.optional(),
});
type F = Infer<typeof Flight>;
is<
  Equal<
    F,
    {
      carrier: string;
      origin: string;
      scheduled: number;
      delayMinutes: number | null;
      note?: string;
    }
  >
>();
declare const env: Env;
const fl = env.fromSource(
  fileSource({ path: "x", format: json(Flight) }),
  Watermarks.boundedOutOfOrderness(minutes(5), { timestamps: (f) => f.scheduled }),
);
is<Equal<typeof fl, DataStream<F>>>();
const k = fl.keyBy("origin");
is<Equal<typeof k, KeyedStream<F, string>>>();
const k2 = fl.keyBy(["origin", "carrier"]);
is<Equal<typeof k2, KeyedStream<F, readonly [string, string]>>>();
const k3 = fl.keyBy((f) => f.scheduled);
is<Equal<typeof k3, KeyedStream<F, number>>>();
const present = fl.filterPresent("delayMinutes").map((f) => f.delayMinutes.toFixed());
is<Equal<typeof present, DataStream<string>>>();
const typed = fl.map((f) => ({ origin: f.origin }), t.object({ origin: t.string }));
is<Equal<typeof typed, DataStream<{ origin: string }>>>();
const w = k
  .window(TumblingEventTimeWindows.of("1h"))
  .allowedLateness("10m")
  .sideOutputLateData("late");
const a1 = w
  .aggregate({ mean: agg.mean("delayMinutes"), n: agg.count() }, (r, { key, window }) => ({
    origin: key,
    hour: window.start,
    ...r,
  }))
  .uid("a");
is<
  Equal<
    typeof a1,
    DataStream<
      { mean: number; n: number; origin: string; hour: number },
      Readonly<Record<never, never>> & Readonly<Record<"late", F>>
    >
  >
>();
const late = a1.getSideOutput("late");
is<Equal<typeof late, DataStream<F>>>();
const meanDelay = {
  accumulator: t.object({ sum: t.float64, n: t.int64 }),
  createAccumulator: () => ({ sum: 0, n: 0 }),
  add: (f: F, a: { sum: number; n: number }) => ({
    sum: a.sum + (f.delayMinutes ?? 0),
    n: a.n + 1,
  }),
  getResult: (a: { sum: number; n: number }) => a.sum / a.n,
} satisfies AggregateFunction<F, { sum: number; n: number }, number>;
const a2 = w.aggregate(meanDelay, (mean, { key }) => ({ key, mean }));
is<
  Equal<typeof a2 extends DataStream<infer T, infer _> ? T : never, { key: string; mean: number }>
>();
const a3 = w.aggregate({
  accumulator: t.float64,
  createAccumulator: () => 0,
  add: (f, a) => a + (f.delayMinutes ?? 0),
  getResult: (a) => a,
});
is<Equal<typeof a3 extends DataStream<infer T, infer _> ? T : never, number>>();
declare const wide: Sink<{ carrier: string }>;
fl.sinkTo(wide);
fl.sinkTo(fileSink({ path: "anything" }));
k.process({
  state: { n: state.value(t.int64), d: state.value(t.int64, { default: 0 }) },
  output: t.int64,
  onElement(_f, ctx) {
    const a: number | undefined = ctx.state.n.value();
    const b: number = ctx.state.d.value();
    ctx.collect((a ?? 0) + b);
  },
});
k.process({
  open: async () => ({ q: (s: string) => s.length }),
  output: t.int64,
  onElement(f, ctx) {
    ctx.collect(ctx.resource.q(f.origin));
  },
});
k.process({
  output: t.int64,
  onElement(f, ctx) {
    ctx.collect(ctx.resource.q(f.origin));
  },
  open: async () => ({ q: (s: string) => s.length }),
});
const sided = fl.process({
  output: t.string,
  sideOutputs: { bad: t.int64 },
  onElement(f, ctx) {
    ctx.output("bad", 1);
    ctx.collect(f.origin);
  },
});
const bad = sided.getSideOutput("bad");
is<Equal<typeof bad, DataStream<number>>>();
// biome-ignore lint/suspicious/useIterableCallbackReturn: it pushes, which is what is shown here
const fm = env.fromCollection(["a b"]).flatMap((l, emit: Emit<string>) => {
  for (const x of l.split(" ")) emit(x);
});
is<Equal<typeof fm, DataStream<string>>>();
const fm2 = env.fromCollection(["a b"]).flatMap((l) => l.split(" "));
is<Equal<typeof fm2, DataStream<string>>>();
const looked = fl.mapAsync(async (f, { signal }) => ({ f, aborted: signal.aborted }), {
  timeout: "1s",
  ordered: false,
  retry: { attempts: 2, backoff: "10ms" },
});
is<Equal<typeof looked, DataStream<{ f: F; aborted: boolean }>>>();
const resourced = fl.mapAsync({
  open: async () => 7,
  call: async (f, handle) => f.origin.length + handle,
  timeout: "1s",
});
is<Equal<typeof resourced, DataStream<number>>>();
const rows = await collect((e) => e.fromCollection([1, 2]).map((x) => String(x)));
is<Equal<typeof rows, string[]>>();
const skipped = fl.map((f) => f.origin).onError("skip");
is<Equal<typeof skipped, DataStream<string>>>();
const retried = fl.map((f) => f.origin).onError({ retry: 3 });
is<Equal<typeof retried, DataStream<string>>>();
const lettered = fl.map((f) => f.origin).onError({ deadLetter: "dead" });
const untypedLetters = lettered.getSideOutput("dead");
is<Equal<typeof untypedLetters, DataStream<unknown>>>();
const letters = fl
  .map((f) => f.origin)
  .onError({ deadLetter: "dead", type: Flight })
  .getSideOutput("dead");
is<Equal<typeof letters, DataStream<F>>>();
const besides = sided.onError({ deadLetter: "dead" });
const stillBad = besides.getSideOutput("bad");
is<Equal<typeof stillBad, DataStream<number>>>();
const unread = fl.onError({ deadLetter: "unread", type: badRow }).getSideOutput("unread");
is<Equal<typeof unread, DataStream<BadRow>>>();
const onWindows = w.process({
  globalState: { seen: state.value(t.int64, { default: 0 }) },
  windowState: { last: state.value(t.string) },
  output: t.string,
  sideOutputs: { empty: t.int64 },
  onWindow(flights, ctx) {
    const seen: number = ctx.globalState.seen.value();
    const last: string | undefined = ctx.windowState.last.value();
    for (const { origin } of flights) ctx.collect(`${ctx.key} ${origin} ${seen} ${last ?? ""}`);
    ctx.output("empty", ctx.window.start);
  },
});
const empties = onWindows.getSideOutput("empty");
is<Equal<typeof empties, DataStream<number>>>();
w.process({
  windowState: { last: state.value(t.string, { default: "" }) },
  output: t.string,
  onWindow(_flights, ctx) {
    ctx.collect(ctx.windowState.last.value());
  },
});
declare const col: Aggregation<F, number>;
void col;
function generic<T extends { at: number }>(s: DataStream<T>, ty: Type<T>): DataStream<T> {
  return s
    .returns(ty)
    .keyBy((x) => x.at)
    .reduce((a, b) => (a.at > b.at ? a : b));
}
void generic;
void fl.union(k);
const asPlain: DataStream<F> = k;
void asPlain;
void env.fromSource(
  generatorSource({ create: (i) => ({ i }), count: 3 }),
  Watermarks.monotonous({ timestamps: "i" }),
);
void csv(Flight, { header: true });
void defineJob(
  { name: "j", params: { a: param.string(), n: param.number({ default: 1 }), s: param.secret() } },
  (_e, { a, n, s }) => {
    const text: string = a;
    const count: number = n;
    const secret: { readonly secret: string } = s;
    void [text, count, secret];
  },
);
