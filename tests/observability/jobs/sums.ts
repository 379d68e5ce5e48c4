/** Running sums by key, every update written: a lost, doubled or altered one shows. Fails once, when asked to. */
import { existsSync, writeFileSync } from "node:fs";
import { defineJob, generatorSource, param, Watermarks } from "millrace";
import { fileSink } from "millrace/files";

export default defineJob(
  {
    name: "sums",
    params: {
      output: param.string(),
      count: param.number(),
      failAt: param.number({ default: -1 }),
      failed: param.string({ default: "" }),
    },
    checkpoint: { interval: "200ms" },
    restart: { delay: "50ms" },
  },
  (env, { output, count, failAt, failed }) => {
    env
      .fromSource(
        generatorSource({
          count,
          ratePerSec: 300,
          create: (i) => ({ key: i % 7, n: 1, sum: i }),
        }),
        Watermarks.none(),
      )
      .uid("numbers")
      .map((row) => {
        if (row.sum === failAt && !existsSync(failed)) {
          writeFileSync(failed, "");
          throw new Error("once");
        }
        return row;
      })
      .uid("fragile")
      .keyBy("key")
      .reduce((a, b) => ({ key: a.key, n: a.n + b.n, sum: a.sum + b.sum }))
      .uid("sums")
      .sinkTo(fileSink({ path: output }))
      .uid("out");
  },
);
