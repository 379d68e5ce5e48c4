import { expect, test } from "vitest";
import { benchmarkOf } from "./all.ts";
import { LocalCluster, layoutOf } from "./local-cluster.ts";
import { runVariant } from "./run-variant.ts";

test.each(["numbers-p2", "numbers-tcp"])(
  "%s: what runners on a cluster come to is what the loop comes to",
  async (name) => {
    const benchmark = benchmarkOf(name);
    const layout = layoutOf(benchmark.deployment, benchmark.parallelism);
    if (layout === undefined) throw new Error("in process");
    await using cluster = await LocalCluster.start(layout);
    const records = 20_000;
    const engine = await runVariant(benchmark, "engine", { records, cluster });
    const loop = await runVariant(benchmark, "by hand", { records, cluster: undefined });
    expect(engine.checksum).toBe(loop.checksum);
    expect(engine.cpuNs).toBeGreaterThan(0);
  },
);
