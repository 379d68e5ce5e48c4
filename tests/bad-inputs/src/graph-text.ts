/** Bad statements in an otherwise good job, and the streams that they begin with. */
import { job } from "./job-text.ts";
import type { Case } from "./run-case.ts";

/** `statement` stands in line 4. */
export const bad = (statement: string, ...says: readonly string[]): Case => ({
  args: ["run", "job.mjs"],
  files: { "job.mjs": job(`  ${statement}`) },
  says,
});
export const badOptions = (options: string, ...says: readonly string[]): Case => ({
  args: ["plan", "job.mjs"],
  files: { "job.mjs": job("", options) },
  says,
});
export const words = `env.fromCollection([{ word: "a", count: 1, at: 0 }], t.object({ word: t.string, count: t.float64, at: t.float64 })).uid("words")`;
export const timed = `${words}.assignTimestampsAndWatermarks(Watermarks.monotonous({ timestamps: "at" })).keyBy("word")`;
export const windowed = (assigner: string) =>
  `${timed}.window(${assigner}).aggregate({ n: agg.count() }).print();`;
export const hour = `TumblingEventTimeWindows.of("1h")`;
