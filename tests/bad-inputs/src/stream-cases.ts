/** Jobs that set something where it does not belong: sides, dead letters, uids, and settings on streams that no operator made. */
import { bad, hour, timed, words } from "./graph-text.ts";
import { job } from "./job-text.ts";
import type { Case } from "./run-case.ts";

export const streamCases: Readonly<Record<string, Case>> = {
  "dead letters that may be lost where the job's output may not": bad(
    `const m = env.fromCollection([1]).uid("in").map((n) => n).onError({ deadLetter: "dead" }); m.sinkTo(fileSink({ path: "out" })); m.getSideOutput("dead").print();`,
    "GRAPH_DEAD_LETTER_WEAKER",
    "dead",
    "two-phase",
    "at-least-once",
    "job.mjs:4:",
  ),
  "dead letters in the place of a declared side output": bad(
    `${words}.process({ sideOutputs: { bad: t.string }, onElement() {} }).onError({ deadLetter: "bad" }).print();`,
    "BUILD_BAD_ARGUMENT",
    "onError",
    "bad",
    "not a side output",
  ),
  "dead letters of a sink": bad(
    `env.fromCollection([1]).print().onError({ deadLetter: "dead" });`,
    "BUILD_BAD_ARGUMENT",
    "onError",
    "dead",
    "skip",
  ),
  "a late side output in the place of a declared one": bad(
    `${timed}.window(${hour}).sideOutputLateData("x").process({ sideOutputs: { x: t.string }, output: t.string, onWindow() {} }).print();`,
    "BUILD_BAD_ARGUMENT",
    "sideOutputLateData",
    "x",
    "job.mjs:4:",
  ),
  "the uid of a hidden enumerator": bad(
    `env.fromCollection([1]).uid("in").map((n) => n).uid("in/enumerator").print();`,
    "GRAPH_DUPLICATE_UID",
    "uid: in/enumerator",
    "job.mjs:4:",
  ),
  "the uid of a hidden committer": bad(
    `env.fromCollection([1]).uid("out/committer").sinkTo(fileSink({ path: "out" })).uid("out");`,
    "GRAPH_DUPLICATE_UID",
    "uid: out/committer",
  ),
  "a window of a time zone, which there is not yet": bad(
    `${timed}.window(TumblingEventTimeWindows.of("1d", { timeZone: "Europe/Zurich" })).aggregate({ n: agg.count() }).print();`,
    "BUILD_BAD_ARGUMENT",
    "window.timeZone",
    "offset",
  ),
  "aligned watermarks, which there are not yet": bad(
    `${words}.assignTimestampsAndWatermarks(Watermarks.monotonous({ timestamps: "at", alignment: { group: "g", maxDrift: "1m" } })).print();`,
    "BUILD_BAD_ARGUMENT",
    "watermarks.alignment",
  ),
  "state with a time to live, which there is not yet": bad(
    `${words}.keyBy("word").process({ state: { n: state.value(t.int32, { ttl: { after: "1h" } }) }, onElement() {} }).print();`,
    "BUILD_BAD_ARGUMENT",
    "state.value.ttl",
  ),
  "a misspelt option of asynchronous calls": bad(
    `env.fromCollection([1]).mapAsync(async (n) => n, { timeout: "1s", capasity: 5 }).print();`,
    "BUILD_BAD_ARGUMENT",
    "mapAsync.capasity",
    "nearest: capacity",
  ),
  "a uid on a keyed stream": bad(
    `${words}.keyBy("word").uid("counts").sum("count").print();`,
    "BUILD_BAD_ARGUMENT",
    "uid",
    "a keyed stream",
    "before",
  ),
  "a parallelism on a union": bad(
    `${words}.union(${words.replace('"words"', '"more"')}).setParallelism(3).print();`,
    "BUILD_BAD_ARGUMENT",
    "setParallelism",
    "a union",
  ),
  "an error policy on a side output": bad(
    `${words}.process({ sideOutputs: { s: t.string }, onElement() {} }).getSideOutput("s").onError("skip").print();`,
    "BUILD_BAD_ARGUMENT",
    "onError",
    "a side output",
  ),
  "a name on a rebalanced stream": bad(
    `${words}.rebalance().name("spread").print();`,
    "BUILD_BAD_ARGUMENT",
    "name",
    "rebalance",
  ),
  "a union of a branch without a type where types are required": {
    args: ["run", "job.mjs"],
    files: {
      "job.mjs": job(
        `  ${words}.union(env.fromCollection([{ word: "b", count: 2, at: 0 }]).uid("more")).keyBy("word").sum("count").uid("sum").print();`,
        `{ name: "bad", requireTypes: true }`,
      ),
    },
    says: ["GRAPH_TYPE_REQUIRED", "sum", "job.mjs:4:", "returns"],
  },
};
