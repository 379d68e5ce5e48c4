/** Jobs that say something that can't be. Those that a compiler would refuse are JavaScript: the text must be as good there. */
import { job } from "./job-text.ts";
import type { Case } from "./run-case.ts";

/** `statement` stands in line 4. */
const bad = (statement: string, ...says: readonly string[]): Case => ({
  args: ["run", "job.mjs"],
  files: { "job.mjs": job(`  ${statement}`) },
  says,
});
const badOptions = (options: string, ...says: readonly string[]): Case => ({
  args: ["plan", "job.mjs"],
  files: { "job.mjs": job("", options) },
  says,
});
const words = `env.fromCollection([{ word: "a", count: 1, at: 0 }], t.object({ word: t.string, count: t.float64, at: t.float64 })).uid("words")`;
const timed = `${words}.assignTimestampsAndWatermarks(Watermarks.monotonous({ timestamps: "at" })).keyBy("word")`;
const windowed = (assigner: string) =>
  `${timed}.window(${assigner}).aggregate({ n: agg.count() }).print();`;
const hour = `TumblingEventTimeWindows.of("1h")`;

export const graphCases: Readonly<Record<string, Case>> = {
  "no sink": bad("env.fromCollection([1]);", "GRAPH_EMPTY", "bad", "sinkTo"),
  "two operators with one uid": bad(
    `env.fromCollection([1]).uid("a").map((n) => n).uid("a").print();`,
    "GRAPH_DUPLICATE_UID",
    "uid: a",
    "job.mjs:4:",
  ),
  "an empty uid": bad(
    `env.fromCollection([1]).uid("").print();`,
    "BUILD_BAD_ARGUMENT",
    "uid",
    "job.mjs:4:",
  ),
  "a uid of another type": bad(
    `env.fromCollection([1]).uid(7).print();`,
    "BUILD_BAD_ARGUMENT",
    "uid",
    "7",
  ),
  "a uid with a line break": bad(
    String.raw`env.fromCollection([1]).print().uid("a\nb");`,
    "BUILD_BAD_ARGUMENT",
    "uid",
    String.raw`a\nb`,
  ),
  "an empty operator name": bad(
    `env.fromCollection([1]).name(" ").print();`,
    "BUILD_BAD_ARGUMENT",
    "name",
    "job.mjs:4:",
  ),
  "an empty slot sharing group": bad(
    `env.fromCollection([1]).slotSharingGroup("").print();`,
    "BUILD_BAD_ARGUMENT",
    "slotSharingGroup",
  ),
  "an unknown key field": bad(
    `${words}.keyBy("wrod").sum("count").print();`,
    "BUILD_BAD_ARGUMENT",
    "keyBy",
    "wrod",
    "nearest: word",
    "job.mjs:4:",
  ),
  "an unknown field of a sum": bad(
    `${words}.keyBy("word").sum("conut").print();`,
    "BUILD_BAD_ARGUMENT",
    "sum",
    "conut",
    "nearest: count",
  ),
  "a sum of text": bad(
    `${words}.keyBy("word").sum("word").print();`,
    "BUILD_BAD_ARGUMENT",
    "sum",
    "word",
    "number",
  ),
  "an unknown field of an aggregate": bad(
    `${timed}.window(${hour}).aggregate({ n: agg.sum("conut") }).print();`,
    "BUILD_BAD_ARGUMENT",
    "aggregate",
    "nearest: count",
  ),
  "a mean of text": bad(
    `${timed}.window(${hour}).aggregate({ n: agg.mean("word") }).print();`,
    "BUILD_BAD_ARGUMENT",
    "aggregate",
    "word",
    "number",
  ),
  "an unknown timestamp field": bad(
    `${words}.assignTimestampsAndWatermarks(Watermarks.monotonous({ timestamps: "att" })).print();`,
    "BUILD_BAD_ARGUMENT",
    "timestamps",
    "nearest: at",
  ),
  "an unknown field to be present": bad(
    `${words}.filterPresent("cuont").print();`,
    "BUILD_BAD_ARGUMENT",
    "filterPresent",
    "nearest: count",
  ),
  "a key of nothing": bad(`${words}.keyBy().sum("count").print();`, "BUILD_BAD_ARGUMENT", "keyBy"),
  "no aggregate": bad(
    `${timed}.window(${hour}).aggregate({}).print();`,
    "BUILD_BAD_ARGUMENT",
    "aggregate",
  ),
  "a quantile above 1": bad(
    `${timed}.window(${hour}).aggregate({ p: agg.quantile("count", 95) }).print();`,
    "BUILD_BAD_ARGUMENT",
    "quantile",
    "95",
    "0 to 1",
  ),
  "a function that is none": bad(
    `env.fromCollection([1]).map("double").print();`,
    "BUILD_BAD_ARGUMENT",
    "map",
    "double",
    "a function",
  ),
  "an operator's parallelism 0": bad(
    `env.fromSequence(1, 9).setParallelism(0).print();`,
    "GRAPH_BAD_PARALLELISM",
    "parallelism: 0",
    "job.mjs:4:",
  ),
  "an operator's parallelism 1.5": bad(
    `env.fromSequence(1, 9).map((n) => n).setParallelism(1.5).print();`,
    "GRAPH_BAD_PARALLELISM",
    "1.5",
  ),
  "a job's parallelism 0": bad(
    `env.setParallelism(0);`,
    "BUILD_BAD_ARGUMENT",
    "setParallelism",
    "0",
  ),
  "a maximum parallelism that is too large": bad(
    `env.setMaxParallelism(40_000);`,
    "BUILD_BAD_ARGUMENT",
    "setMaxParallelism",
    "40000",
    "1 to 32768",
  ),
  "more subtasks than the maximum parallelism": bad(
    `env.fromSequence(1, 9).map((n) => n).setParallelism(8).setMaxParallelism(4).print();`,
    "GRAPH_BAD_PARALLELISM",
    "parallelism: 8",
    "maxParallelism: 4",
  ),
  "a job option parallelism of -1": badOptions(
    `{ name: "bad", parallelism: -1 }`,
    "BUILD_BAD_ARGUMENT",
    "parallelism",
    "-1",
  ),
  "forward between different parallelisms": bad(
    `env.fromSequence(1, 9).setParallelism(2).forward().map((n) => n).setParallelism(3).print();`,
    "GRAPH_FORWARD_MISMATCH",
    "rebalance",
  ),
  "a window of size 0": bad(
    windowed(`TumblingEventTimeWindows.of("0s")`),
    "BUILD_BAD_ARGUMENT",
    "size",
    "0s",
    "above 0",
    "job.mjs:4:",
  ),
  "a window without a unit": bad(
    windowed(`TumblingEventTimeWindows.of("60")`),
    "OPTION_BAD_DURATION",
    "60",
    "job.mjs:4:",
  ),
  "a window of a made-up unit": bad(
    windowed(`TumblingEventTimeWindows.of("1 fortnight")`),
    "OPTION_BAD_DURATION",
    "fortnight",
  ),
  "an offset as large as the window": bad(
    windowed(`TumblingEventTimeWindows.of("1h", { offset: "1h" })`),
    "BUILD_BAD_ARGUMENT",
    "offset",
    "less than the size",
  ),
  "something that is no window": bad(
    windowed(`"1h"`),
    "BUILD_BAD_ARGUMENT",
    "window",
    "TumblingEventTimeWindows",
  ),
  "negative lateness": bad(
    `${timed}.window(${hour}).allowedLateness("-1h").aggregate({ n: agg.count() }).print();`,
    "OPTION_BAD_DURATION",
    "-1h",
    "job.mjs:4:",
  ),
  "a negative delay of watermarks": bad(
    `${words}.assignTimestampsAndWatermarks(Watermarks.boundedOutOfOrderness(-5)).print();`,
    "OPTION_BAD_DURATION",
    "-5",
  ),
  "a window without watermarks": bad(
    `${words}.keyBy("word").window(${hour}).aggregate({ n: agg.count() }).print();`,
    "GRAPH_MISSING_WATERMARKS",
    "job.mjs:4:",
  ),
  "something that is no watermark strategy": bad(
    `env.fromSource(generatorSource({ create: (i) => i, count: 1 })).print();`,
    "BUILD_BAD_ARGUMENT",
    "watermarks",
  ),
  "a dead letter that nobody reads": bad(
    `env.fromCollection([1]).map((n) => n).onError({ deadLetter: "dead" }).print();`,
    "GRAPH_DEAD_LETTER_UNREAD",
    "dead",
    "job.mjs:4:",
  ),
  "an error policy that there is not": bad(
    `env.fromCollection([1]).map((n) => n).onError("ignore").print();`,
    "BUILD_BAD_ARGUMENT",
    "onError",
    "ignore",
    "skip",
  ),
  "a negative number of retries": bad(
    `env.fromCollection([1]).map((n) => n).onError({ retry: -1 }).print();`,
    "BUILD_BAD_ARGUMENT",
    "onError",
    "-1",
  ),
  "a side output that there is not": bad(
    `${words}.process({ output: t.string, sideOutputs: { late: t.string }, onElement() {} }).getSideOutput("lste").print();`,
    "BUILD_BAD_ARGUMENT",
    "getSideOutput",
    "lste",
    "nearest: late",
  ),
  "asynchronous calls with capacity 0": bad(
    `env.fromCollection([1]).mapAsync(async (n) => n, { timeout: "1s", capacity: 0 }).print();`,
    "BUILD_BAD_ARGUMENT",
    "capacity",
    "0",
    "job.mjs:4:",
  ),
  "asynchronous calls without a timeout": bad(
    `env.fromCollection([1]).mapAsync(async (n) => n).print();`,
    "BUILD_BAD_ARGUMENT",
    "timeout",
  ),
  "asynchronous calls with negative retries": bad(
    `env.fromCollection([1]).mapAsync(async (n) => n, { timeout: "1s", retry: { attempts: -1, backoff: "1s" } }).print();`,
    "BUILD_BAD_ARGUMENT",
    "retry.attempts",
    "-1",
  ),
  "two sinks in one place, by a relative and an absolute path": bad(
    `${words}.sinkTo(fileSink({ path: "out" })); ${words}.uid("more").sinkTo(fileSink({ path: process.cwd() + "/x/../out" }));`,
    "GRAPH_SAME_TARGET",
  ),
  "two sinks in one place": bad(
    `${words}.sinkTo(fileSink({ path: "out" })); ${words}.uid("more").sinkTo(fileSink({ path: "out/" }));`,
    "GRAPH_SAME_TARGET",
    "file:out",
  ),
  "state whose type would be inferred": {
    args: ["run", "job.mjs"],
    files: {
      "job.mjs": job(
        `  env.fromCollection([{ a: "x", n: 1 }]).uid("in").keyBy("a").sum("n").uid("sum").print();`,
        `{ name: "bad", requireTypes: true }`,
      ),
    },
    says: ["GRAPH_TYPE_REQUIRED", "sum", "job.mjs:4:", "returns"],
  },
  "state of a type for the compiler only": bad(
    `${words}.keyBy("word").process({ state: { seen: state.value(t.of()) }, onElement() {} }).print();`,
    "BUILD_BAD_ARGUMENT",
    "t.of()",
  ),
  "state that was not declared": bad(
    `${words}.keyBy("word").process({ state: { seen: 1 }, onElement() {} }).print();`,
    "BUILD_BAD_ARGUMENT",
    "state.seen",
  ),
  "something that is no source": bad(
    `env.fromSource([1, 2], Watermarks.none()).print();`,
    "BUILD_NOT_A_SOURCE",
    "job.mjs:4:",
  ),
  "something that is no sink": bad(
    `env.fromCollection([1]).sinkTo("out");`,
    "BUILD_NOT_A_SINK",
    "job.mjs:4:",
  ),
  "a rate of 0": bad(
    `env.fromSource(generatorSource({ create: (i) => i, ratePerSec: 0 }), Watermarks.none()).print();`,
    "BUILD_BAD_ARGUMENT",
    "ratePerSec",
    "0",
  ),
  "a sequence of halves": bad(
    `env.fromSequence(0.5, 3).print();`,
    "BUILD_BAD_ARGUMENT",
    "fromSequence",
    "0.5",
  ),
  "a collection that is none": bad(
    `env.fromCollection(5).print();`,
    "BUILD_BAD_ARGUMENT",
    "fromCollection",
    "5",
  ),

  "a job without a name": badOptions(`""`, "BUILD_BAD_ARGUMENT", "name", "job.mjs:3:"),
  "a checkpoint interval of 0": badOptions(
    `{ name: "bad", checkpoint: { interval: "0s" } }`,
    "BUILD_BAD_ARGUMENT",
    "checkpoint.interval",
    "0s",
    "job.mjs:3:",
  ),
  "a checkpoint mode that there is not": badOptions(
    `{ name: "bad", checkpoint: { mode: "at-least-once" } }`,
    "BUILD_BAD_ARGUMENT",
    "checkpoint.mode",
    "at-least-once",
    "exactly-once",
  ),
  "negative tolerable failures": badOptions(
    `{ name: "bad", checkpoint: { tolerableFailures: -1 } }`,
    "BUILD_BAD_ARGUMENT",
    "checkpoint.tolerableFailures",
    "-1",
  ),
  "a misspelt option of a job": badOptions(
    `{ name: "bad", checkpiont: { interval: "1s" } }`,
    "BUILD_BAD_ARGUMENT",
    "checkpiont",
    "nearest: checkpoint",
  ),
  "a misspelt option of checkpoints": badOptions(
    `{ name: "bad", checkpoint: { intervall: "1s" } }`,
    "BUILD_BAD_ARGUMENT",
    "checkpoint.intervall",
    "nearest: interval",
  ),
  "a restart strategy that there is not": badOptions(
    `{ name: "bad", restart: { strategy: "fixed-dealy" } }`,
    "BUILD_BAD_ARGUMENT",
    "restart.strategy",
    "nearest: fixed-delay",
  ),
  "a negative number of restarts": badOptions(
    `{ name: "bad", restart: { strategy: "fixed-delay", attempts: -1 } }`,
    "BUILD_BAD_ARGUMENT",
    "restart.attempts",
    "-1",
  ),
  "a negative delay of restarts": badOptions(
    `{ name: "bad", restart: { delay: "-1s" } }`,
    "OPTION_BAD_DURATION",
    "-1s",
    "job.mjs:3:",
  ),
  "a job that is no function": {
    args: ["run", "job.mjs"],
    files: {
      "job.mjs": `import { defineJob } from "millrace";\nexport default defineJob("bad");\n`,
    },
    says: ["BUILD_BAD_ARGUMENT", "build", "job.mjs:2:"],
  },

  "an input that is not there": bad(
    `env.fromSource(fileSource({ path: "in.csv", format: lines }), Watermarks.none()).print();`,
    "FILES_NOT_FOUND",
    "in.csv",
  ),
  "an input with a near name": {
    ...bad(
      `env.fromSource(fileSource({ path: "wrods.txt", format: lines }), Watermarks.none()).print();`,
      "FILES_NOT_FOUND",
      "wrods.txt",
      "nearest: words.txt",
    ),
    files: {
      "job.mjs": job(
        `  env.fromSource(fileSource({ path: "wrods.txt", format: lines }), Watermarks.none()).print();`,
      ),
      "words.txt": "a\n",
    },
  },
  "a pattern that matches nothing": bad(
    `env.fromSource(fileSource({ path: "*.csv", format: lines }), Watermarks.none()).print();`,
    "FILES_NOT_FOUND",
    "*.csv",
  ),
  "an input that is not there, with durable state": {
    ...bad(
      `env.fromSource(fileSource({ path: "in.csv", format: lines }), Watermarks.none()).print();`,
      "FILES_NOT_FOUND",
      "in.csv",
    ),
    args: ["run", "job.mjs", "--state", "state"],
  },
  "an input that is not there, submitted": {
    ...bad(
      `env.fromSource(fileSource({ path: "in.csv", format: lines }), Watermarks.none()).print();`,
      "FILES_NOT_FOUND",
      "in.csv",
    ),
    args: ["submit", "job.mjs", "--jobmanager", "{rest}"],
  },
  "an empty path": bad(
    `env.fromSource(fileSource({ path: "", format: lines }), Watermarks.none()).print();`,
    "FILES_BAD_OPTION",
    "path",
    "job.mjs:4:",
  ),
  "an output in another store": bad(
    `env.fromCollection([1]).sinkTo(fileSink({ path: "s3://bucket/out" })).uid("out");`,
    "FILES_BAD_OPTION",
    "s3://bucket/out",
    "./bucket/out",
    "job.mjs:4:",
  ),
  "an input in another store": bad(
    `env.fromSource(fileSource({ path: "s3://bucket/in/*.csv", format: lines }), Watermarks.none()).print();`,
    "FILES_BAD_OPTION",
    "s3:",
    "./bucket/in/*.csv",
  ),
  "an input on the web": bad(
    `env.fromSource(fileSource({ path: "https://example.com/in.csv", format: lines }), Watermarks.none()).print();`,
    "FILES_BAD_OPTION",
    "https:",
  ),
  "a file: URL of another machine": bad(
    `env.fromCollection([1]).sinkTo(fileSink({ path: "file://out/words" })).uid("out");`,
    "FILES_BAD_OPTION",
    "file:///out/words",
  ),
  "an input without a format": bad(
    `env.fromSource(fileSource({ path: "job.mjs" }), Watermarks.none()).print();`,
    "FILES_BAD_OPTION",
    "format",
  ),
  "an output below a file": bad(
    `env.fromCollection([1]).sinkTo(fileSink({ path: "job.mjs/out" })).uid("out");`,
    "FILES_BAD_OPTION",
    "job.mjs/out",
    "job.mjs is not a folder",
  ),
  "an output below a device": bad(
    `env.fromCollection([1]).sinkTo(fileSink({ path: "/dev/null/out" })).uid("out");`,
    "FILES_BAD_OPTION",
    "/dev/null/out",
  ),
  "files rolled at size 0": bad(
    `env.fromCollection([1]).sinkTo(fileSink({ path: "out", rollBytes: 0 }));`,
    "FILES_BAD_OPTION",
    "rollBytes",
    "0",
  ),
};
