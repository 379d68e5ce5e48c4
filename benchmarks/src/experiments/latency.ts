/** Age of records at the sink of a job at half of the load that it can carry: keyed running sums at parallelism 2 in one runner. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalCluster } from "../local-cluster.ts";
import { quantiles, spread } from "../pairs.ts";
import type { Experiment } from "./experiment.ts";

export const latency: Experiment = {
  name: "latency",
  what: "source to sink at half load, keyed sum between, two slots in one runner",
  async run({ quick, onStep }) {
    const [seconds, repetitions] = quick ? [4, 1] : [20, 3];
    await using cluster = await LocalCluster.start(
      { taskManagers: 1, slots: 2 },
      { published: true },
    );
    const { perSec: most } = await observe(cluster, 0, quick ? 1_000_000 : 8_000_000);
    const ratePerSec = Math.floor(most / 2);
    onStep(`${Math.round(most).toLocaleString("en-US")} records a second at most`);
    const all: number[][] = [[], [], []];
    for (let i = 0; i < repetitions; i++) {
      const { ages } = await observe(cluster, ratePerSec, ratePerSec * seconds);
      for (const [at, value] of quantiles(ages).entries()) all[at]?.push(value);
      onStep(
        quantiles(ages)
          .map((value) => value.toFixed(2))
          .join(" / "),
      );
    }
    const [p50 = [], p99 = [], p999 = []] = all;
    return [
      { figure: "age at the sink, p50", unit: "ms", values: spread(p50, 2) },
      { figure: "age at the sink, p99", unit: "ms", values: spread(p99, 2), aim: "≤ 10" },
      { figure: "age at the sink, p99.9", unit: "ms", values: spread(p999, 2), aim: "≤ 30" },
    ];
  },
};

/** What came to all sinks in a second, and the ages. */
interface Observed {
  readonly perSec: number;
  readonly ages: Float64Array;
}

async function observe(
  cluster: LocalCluster,
  ratePerSec: number,
  count: number,
): Promise<Observed> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-ages-"));
  try {
    const jobId = await cluster.submit(
      "experiments/latency-job.ts",
      { ratePerSec: String(ratePerSec), count: String(count), folder },
      2,
    );
    const state = await cluster.ended(jobId);
    if (state !== "FINISHED") throw new Error(`the job ended ${state}`);
    const read = (suffix: string): readonly Buffer[] =>
      readdirSync(folder)
        .filter((file) => file.endsWith(suffix))
        .map((file) => readFileSync(join(folder, file)));
    const bytes = new Uint8Array(Buffer.concat(read(".ages")));
    return {
      perSec: read(".rate").reduce((sum, text) => sum + Number(text.toString()), 0),
      ages: new Float64Array(bytes.buffer),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
