import { defineJob, generatorSource, param, Watermarks } from "millrace";
import { fileSink } from "millrace/files";

/** Running sums by key: each update differs from every other, so one that is lost or comes twice shows. */
export default defineJob(
  {
    name: "sums-in-s3",
    params: {
      output: param.string(),
      count: param.number(),
      ratePerSec: param.number(),
      keys: param.number(),
    },
    parallelism: 2,
    checkpoint: { interval: "300ms", tolerableFailures: 1000 },
    restart: { delay: "50ms", maxDelay: "500ms" },
  },
  (env, { output, count, ratePerSec, keys }) => {
    env
      .fromSource(
        generatorSource({
          count,
          ratePerSec,
          create: (i) => ({ key: i % keys, n: 1, sum: (i * 7919) % 1009 }),
        }),
        Watermarks.none(),
      )
      .setParallelism(1)
      .uid("numbers")
      .keyBy("key")
      .reduce((a, b) => ({ key: a.key, n: a.n + b.n, sum: a.sum + b.sum }))
      .uid("sums")
      .sinkTo(fileSink({ path: output }))
      .uid("out");
  },
);
