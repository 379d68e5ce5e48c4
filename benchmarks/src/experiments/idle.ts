/** A job that waits for records on a cluster that does nothing else: what waiting costs. */
import { setTimeout as pause } from "node:timers/promises";
import { LocalCluster, until } from "../local-cluster.ts";
import { spread } from "../pairs.ts";
import { childrenOf, cpuMsOf, rssBytesOf } from "../processes.ts";
import type { Experiment } from "./experiment.ts";

const settleMs = 8_000;

export const idle: Experiment = {
  name: "idle",
  what: "an idle job on an idle cluster: JobManager, a TaskManager, a runner with two slots",
  async run({ quick, onStep }) {
    const [parts, partMs] = quick ? [1, 3_000] : [6, 10_000];
    await using cluster = await LocalCluster.start(
      { taskManagers: 1, slots: 2 },
      { published: true },
    );
    const jobId = await cluster.submit("experiments/idle-job.ts", {}, 2);
    await until(settleMs * 4, async () => (await cluster.client.job(jobId)).state === "RUNNING");
    await pause(settleMs);
    const daemons = [cluster.jobManager, ...cluster.taskManagers].map(({ pid }) => pid ?? 0);
    const pids = [...daemons, ...daemons.flatMap(childrenOf)];
    const cpuMs = () => pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
    const cpu: number[] = [];
    const rss: number[] = [];
    for (let part = 0; part < parts; part++) {
      const before = cpuMs();
      const begun = performance.now();
      await pause(partMs);
      cpu.push(((cpuMs() - before) / (performance.now() - begun)) * 100);
      rss.push(pids.reduce((sum, pid) => sum + rssBytesOf(pid), 0) / 2 ** 20);
      onStep(`${cpu.at(-1)?.toFixed(2)} % of a core, ${rss.at(-1)?.toFixed(0)} MB`);
    }
    await cluster.client.cancel(jobId);
    return [
      { figure: "CPU, of a core", unit: "%", values: spread(cpu, 2), aim: "< 2" },
      {
        figure: "resident memory, all processes",
        unit: "MB",
        values: spread(rss, 0),
        aim: "≤ 250",
        flink: "259 + 323",
      },
    ];
  },
};
