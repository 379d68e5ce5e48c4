/**
 * Something to debug: every time-out in it is far shorter than a debugger stands still. The lines at which the test stops are found by
 * their text.
 */
import {
  defineJob,
  generatorSource,
  param,
  TumblingEventTimeWindows,
  t,
  Watermarks,
} from "millrace";
import { fileSink } from "millrace/files";

export default defineJob(
  {
    name: "inspected",
    params: { output: param.string(), service: param.string(), count: param.number() },
    parallelism: 2,
    checkpoint: { interval: "100ms", timeout: "3s", tolerableFailures: 0 },
    restart: { strategy: "none" },
  },
  (env, { output, service, count }) => {
    env
      .fromSource(
        generatorSource({ count, ratePerSec: 200, create: (n) => ({ n, at: n * 10, key: n % 4 }) }),
        Watermarks.boundedOutOfOrderness("100ms", { timestamps: "at", idleness: "1s" }),
      )
      .uid("numbers")
      .mapAsync(
        async ({ n, at, key }) => {
          const answer = await fetch(`${service}/${n}`);
          return { n, at, key, square: Number(await answer.text()) };
        },
        { timeout: "2s", capacity: 40 },
      )
      .uid("squares")
      .map(({ n, at, key, square }) => {
        const root = Math.sqrt(square);
        return { n, at, key, square, right: root === n };
      })
      .uid("roots")
      .keyBy("key")
      .window(TumblingEventTimeWindows.of("1s"))
      .process({
        output: t.object({ key: t.int32, start: t.timestamp, squares: t.float64, right: t.int32 }),
        onWindow(values, ctx) {
          let squares = 0;
          let right = 0;
          for (const value of values) {
            squares += value.square;
            right += value.right ? 1 : 0;
          }
          const { start } = ctx.window;
          ctx.collect({ key: ctx.key, start, squares, right });
        },
      })
      .uid("sums")
      .sinkTo(fileSink({ path: output }))
      .uid("out");
  },
);
