/** A job whose every number is known: readings from files that appear, some of them bad, late or poisonous, counted by key and second. */
import { existsSync, writeFileSync } from "node:fs";
import { agg, defineJob, json, param, TumblingEventTimeWindows, t, Watermarks } from "millrace";
import { fileSink, fileSource } from "millrace/files";

const Reading = t.object({ at: t.timestamp, key: t.string, value: t.int32 });

export default defineJob(
  {
    name: "counted",
    params: { input: param.string(), output: param.string(), failed: param.string() },
    parallelism: 2,
    checkpoint: { interval: "300ms" },
    restart: { delay: "50ms" },
  },
  (env, { input, output, failed }) => {
    env
      .fromSource(
        fileSource({ path: input, format: json(Reading), watch: "100ms" }),
        Watermarks.boundedOutOfOrderness("0ms", { timestamps: "at" }),
      )
      .uid("readings")
      .map((reading) => {
        if (reading.value < 0) throw new RangeError("a bad reading");
        return reading;
      })
      .onError("skip")
      .uid("good")
      .filter((reading) => {
        // The first to meet it fails; after the restart it goes through.
        if (reading.key === "poison" && !existsSync(failed)) {
          writeFileSync(failed, "");
          throw new Error("poisoned");
        }
        return true;
      })
      .uid("careful")
      .keyBy("key")
      .window(TumblingEventTimeWindows.of("1s"))
      .aggregate({ readings: agg.count() }, (result, { key, window }) => ({
        key,
        start: window.start,
        ...result,
      }))
      .uid("counts")
      .sinkTo(fileSink({ path: output }))
      .uid("out");
  },
);
