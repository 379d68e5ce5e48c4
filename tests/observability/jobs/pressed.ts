/** A source that could do more than its slow sink: between them everything waits. */
import { defineJob, defineSink, generatorSource, param, Watermarks } from "millrace";

/** Holds the event loop for each record, as a sink does that works rather than waits. */
const slow = (ms: number) =>
  defineSink<{ readonly key: number }>({
    name: "slow",
    kind: "at-least-once",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({
      write() {
        for (const end = performance.now() + ms; performance.now() < end; );
      },
      flush() {},
    }),
  });

export default defineJob(
  {
    name: "pressed",
    params: { msPerRecord: param.number() },
    parallelism: 1,
    checkpoint: { interval: "500ms" },
  },
  (env, { msPerRecord }) => {
    env
      .fromSource(
        generatorSource({ create: (n) => ({ key: n % 10, text: `${n} `.repeat(50) }) }),
        Watermarks.none(),
      )
      .uid("numbers")
      .keyBy("key")
      .sinkTo(slow(msPerRecord))
      .uid("slow");
  },
);
