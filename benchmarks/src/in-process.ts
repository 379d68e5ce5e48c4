/** Runs a variant in this process: a loop, or the engine on one event loop as `millrace run` does. */
import { setTimeout as pause } from "node:timers/promises";
import { MiniCluster } from "@millrace/minicluster";
import { benchmarkOf } from "./all.ts";
import job from "./job.ts";
import { Probe } from "./probe.ts";
import type { VariantRun } from "./variant.ts";

export async function runInProcess(run: VariantRun): Promise<void> {
  const { benchmark: name, variant, records, warm, folder, file, profile } = run;
  const benchmark = benchmarkOf(name);
  const loop = benchmark.loops[variant];
  if (loop !== undefined) {
    const probe = new Probe({ file, ...(profile === undefined ? {} : { profile }) });
    loop({ records, warm, folder, probe });
    // Pauses of the collector are told in a later turn.
    await pause(20);
    probe.close();
    return;
  }
  const { parallelism } = benchmark;
  const cluster = await MiniCluster.start({
    checkMutations: false,
    slotsPerTaskManager: parallelism,
  });
  try {
    const parameters = {
      ...{ benchmark: name, build: variant, folder, file, profile: profile ?? "" },
      ...{ records, warm },
    };
    const running = await cluster.submit(job, { parameters, parallelism });
    await running.ended;
  } finally {
    await cluster.close();
  }
}
