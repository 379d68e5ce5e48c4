import { defineJob, generatorSource, param, Watermarks } from "millrace";
import { fileSink } from "millrace/files";

/** Running sums by key: every update can be told from every other, so a lost, doubled or reordered one shows. */
export default defineJob(
  {
    name: "sums",
    params: {
      output: param.string(),
      count: param.number(),
      ratePerSec: param.number(),
      keys: param.number({ default: 50 }),
      parallelism: param.number({ default: 2 }),
    },
    checkpoint: { interval: "250ms", tolerableFailures: 1000 },
    restart: { delay: "50ms", maxDelay: "500ms" },
  },
  (env, { output, count, ratePerSec, keys, parallelism }) => {
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
      .setParallelism(parallelism)
      .uid("sums")
      .sinkTo(fileSink({ path: output }))
      .setParallelism(parallelism)
      .uid("out");
  },
);
