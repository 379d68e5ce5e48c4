/** What must not compile. Each snippet stands in a function with the names of `prelude` in scope. */
export const prelude = `import { agg, badRow, csv, type DataStream, defineJob, type Emit, type Env, generatorSource, json, minutes, param, state, t, TumblingEventTimeWindows, Watermarks } from "millrace";
import { fileSink, fileSource } from "millrace/files";
const Flight = t.object({ carrier: t.string, origin: t.string, scheduled: t.timestamp, delayMinutes: t.float64.nullable() });
declare const env: Env;
const fl = env.fromSource(fileSource({ path: "x", format: json(Flight) }), Watermarks.none());
const k = fl.keyBy("origin");
const w = k.window(TumblingEventTimeWindows.of("1h")).sideOutputLateData("late");
void [agg, badRow, csv, defineJob, generatorSource, minutes, param, state, fileSink, w];
export type { DataStream, Emit };
`;

export const negative: Readonly<Record<string, string>> = {
  "a timestamp field that is not there": `env.fromSource(fileSource({ path: "x", format: json(Flight) }), Watermarks.monotonous({ timestamps: "sched" }));`,
  "a timestamp field that is no number": `env.fromSource(fileSource({ path: "x", format: json(Flight) }), Watermarks.monotonous({ timestamps: "carrier" }));`,
  "a timestamp function that reads a field that is not there": `env.fromSource(fileSource({ path: "x", format: json(Flight) }), Watermarks.monotonous({ timestamps: (f) => f.sched }));`,
  "a bare number as a duration": `TumblingEventTimeWindows.of(5);`,
  "a duration without a unit": `TumblingEventTimeWindows.of("5");`,
  "a duration of another unit": `fl.setBufferTimeout("5 weeks");`,
  "a key field that is not there": `fl.keyBy("orgin");`,
  "a nullable key": `fl.keyBy("delayMinutes");`,
  "a nullable key from a function": `fl.keyBy((f) => f.delayMinutes);`,
  "a Date as a key": `fl.keyBy((f) => new Date(f.scheduled));`,
  "a key tuple with a field that is not there": `fl.keyBy(["origin", "carier"]);`,
  "a field of a map's value that is not there": `fl.map((f) => f.orign);`,
  "a nullable field used as a number": `fl.map((f) => f.delayMinutes * 2);`,
  "filterPresent of a field that is not there": `fl.filterPresent("delay");`,
  "a type that does not fit the function": `fl.map((f) => ({ origin: f.origin }), t.object({ other: t.string }));`,
  "returns of another type": `fl.returns(t.object({ other: t.string }));`,
  "a filter that answers no boolean": `fl.filter((f) => f.origin);`,
  "an emit of another type": `env.fromCollection(["a"]).flatMap((l, emit: Emit<number>) => { emit(l); });`,
  "a union of other types": `fl.union(env.fromCollection([1]));`,
  "a rolling sum of text": `k.sum("carrier");`,
  "a rolling sum of a nullable field": `k.sum("delayMinutes");`,
  "a rolling maximum of a field that is not there": `k.maxBy("delay");`,
  "sum on a stream without key": `fl.sum("scheduled");`,
  "a window on a stream without key": `fl.window(TumblingEventTimeWindows.of("1h"));`,
  "a side output that is not there": `w.aggregate({ n: agg.count() }).getSideOutput("lates");`,
  "a side output lost behind a map": `w.aggregate({ n: agg.count() }).map((x) => x).getSideOutput("late");`,
  "a side output of a stream without any": `fl.getSideOutput("late");`,
  "an aggregate over text": `w.aggregate({ mean: agg.mean("carrier") });`,
  "an aggregate over a field that is not there": `w.aggregate({ mean: agg.mean("delay") });`,
  "a quantile without its rank": `agg.quantile("delayMinutes");`,
  "an accumulator of another type": `w.aggregate({ accumulator: t.string, createAccumulator: () => 0, add: (_f, a) => a, getResult: (a) => a });`,
  "a sink of another type": `fl.sinkTo(fileSink({ path: "x", format: json(t.object({ other: t.string })) }));`,
  "collect without a declared output": `k.process({ onElement(_f, ctx) { ctx.collect(1); } });`,
  "collect of another type": `k.process({ output: t.string, onElement(f, ctx) { ctx.collect(f.scheduled); } });`,
  "an undeclared side output": `k.process({ output: t.string, onElement(_f, ctx) { ctx.output("nope", 1); } });`,
  "a side output of another type": `k.process({ sideOutputs: { bad: t.int64 }, onElement(_f, ctx) { ctx.output("bad", "x"); } });`,
  "undeclared state": `k.process({ output: t.string, onElement(_f, ctx) { ctx.state.count; } });`,
  "state that may be absent": `k.process({ state: { n: state.value(t.int64) }, onElement(_f, ctx) { const a: number = ctx.state.n.value(); void a; } });`,
  "state of another type": `k.process({ state: { n: state.value(t.int64) }, onElement(_f, ctx) { ctx.state.n.update("x"); } });`,
  "state on a stream without key": `fl.process({ state: { n: state.value(t.int64) }, onElement() {} });`,
  "a key on a stream without key": `fl.process({ onElement(_f, ctx) { ctx.key; } });`,
  "a timestamp that may be absent": `fl.process({ onElement(_f, ctx) { const at: number = ctx.timestamp; void at; } });`,
  "a default of another type": `state.value(t.int64, { default: "0" });`,
  "mapAsync without a timeout": `fl.mapAsync(async (f) => f, {});`,
  "mapAsync that promises nothing": `fl.mapAsync((f) => f.origin, { timeout: "1s" });`,
  "an onTimeout of another type": `fl.mapAsync(async (f) => f.origin, { timeout: "1s", onTimeout: () => 1 });`,
  "state of a window looked for across windows": `w.process({ windowState: { last: state.value(t.string) }, output: t.string, onWindow(_v, ctx) { ctx.globalState.last; } });`,
  "state across windows looked for in one": `w.process({ globalState: { last: state.value(t.string) }, output: t.string, onWindow(_v, ctx) { ctx.windowState.last; } });`,
  "window state where none is declared": `w.process({ output: t.string, onWindow(_v, ctx) { ctx.windowState.last; } });`,
  "a dead-letter side of another name": `fl.map((f) => f.origin).onError({ deadLetter: "dead" }).getSideOutput("daed");`,
  "dead letters under a policy without any": `fl.map((f) => f.origin).onError("skip").getSideOutput("dead");`,
  "a dead letter used as what it is not known to be": `fl.map((f) => f.origin).onError({ deadLetter: "dead" }).getSideOutput("dead").map((f) => f.origin);`,
  "a field that a bad row does not have": `fl.onError({ deadLetter: "bad", type: badRow }).getSideOutput("bad").map((row) => row.origin);`,
  "a type of dead letters that is none": `fl.map((f) => f.origin).onError({ deadLetter: "dead", type: "Flight" });`,
  "dead letters of a sink": `fl.print().onError({ deadLetter: "dead" });`,
  "an error policy that is not there": `fl.map((f) => f).onError("ignore");`,
  "a parameter that is not declared": `defineJob({ name: "j", params: { a: param.string() } }, (_e, { b }) => { void b; });`,
  "a parameter of another type": `defineJob({ name: "j", params: { a: param.number() } }, (_e, { a }) => { const s: string = a; void s; });`,
  "an enum value that is not in it": `const E = t.enum("a", "b"); const v: import("millrace").Infer<typeof E> = "c"; void v;`,
};
