/** Waits for records that come once in a while, with an exchange and state behind the source. */
import { defineJob, defineSink, generatorSource, t, Watermarks } from "@millrace/api";

export default defineJob({ name: "idle" }, (env) => {
  env
    .fromSource(
      generatorSource({
        ratePerSec: 0.01,
        create: (i) => ({ key: i % 7, n: 1 }),
        type: t.object({ key: t.int32, n: t.float64 }),
      }),
      Watermarks.none(),
    )
    .uid("in")
    .keyBy("key")
    .sum("n")
    .uid("sums")
    .sinkTo(
      defineSink({
        name: "nowhere",
        kind: "at-least-once",
        inputType: { kind: "unknown" },
        describe: {},
        createWriter: () => ({ write() {}, flush() {} }),
      }),
    )
    .uid("out");
});
