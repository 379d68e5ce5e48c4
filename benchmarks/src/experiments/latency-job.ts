/**
 * Records at a fixed rate through an exchange by key, and how old each is at the sink.
 *
 * LAT-1  A record's age counts from when it was due, not from when it was made: what holds up the source holds up its records.
 * LAT-2  Ages of the first quarter are not kept; neither does it count for the rate.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { defineJob, defineSink, generatorSource, param, t, Watermarks } from "@millrace/api";

interface Row {
  readonly key: string;
  readonly n: number;
  readonly due: number;
}
const keys = Array.from({ length: 10_000 }, (_, i) => `key-${i}-${"x".repeat(90)}`);
/** One of so many is measured: a look at the clock costs as much as a record. */
const every = 16;
const clock = (): number => performance.timeOrigin + performance.now();

export default defineJob(
  {
    name: "latency",
    params: { ratePerSec: param.number(), count: param.number(), folder: param.string() },
    checkpoint: { interval: "10s" },
  },
  (env, { ratePerSec, count, folder }) => {
    const unthrottled = ratePerSec === 0;
    let begun = 0;
    const create = (i: number): Row => {
      if (begun === 0) begun = clock() - (i * 1_000) / ratePerSec;
      const due = unthrottled ? 0 : begun + (i * 1_000) / ratePerSec;
      return { key: keys[i % keys.length] ?? "", n: i, due };
    };
    env
      .fromSource(
        generatorSource<Row>({
          ...{ count, create },
          ...(unthrottled ? {} : { ratePerSec }),
          type: t.object({ key: t.string, n: t.float64, due: t.float64 }),
        }),
        Watermarks.none(),
      )
      .uid("in")
      .keyBy("key")
      .reduce((a, b) => ({ key: b.key, n: a.n + b.n, due: b.due }))
      .uid("sums")
      .sinkTo(ageSink(folder, count))
      .uid("out");
  },
);

function ageSink(folder: string, count: number) {
  return defineSink<Row>({
    name: "ages",
    kind: "at-least-once",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter({ task }) {
      const skipped = count / task.parallelism / 4;
      const ages = new Float64Array(Math.ceil(count / every));
      let [rows, kept, from, to] = [0, 0, 0, 0];
      return {
        write(value) {
          rows += 1;
          if (rows < skipped || rows % every !== 0 || kept === ages.length) return;
          to = clock();
          if (kept === 0) from = to;
          ages[kept++] = to - (value as Row).due;
        },
        flush() {},
        close() {
          const name = join(folder, `${process.pid}-${threadId}`);
          writeFileSync(`${name}.ages`, new Uint8Array(ages.buffer, 0, kept * 8));
          writeFileSync(`${name}.rate`, String(((kept - 1) * every * 1_000) / (to - from)));
        },
      };
    },
  });
}
