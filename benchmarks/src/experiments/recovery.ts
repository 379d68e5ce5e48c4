/**
 * SIGKILL of the TaskManager that runs the job, with 100 MB of state and a slot that stands by: how long until the first output that is
 * right. Outputs come a thousand a second, so the gap between them is below what is measured.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { LocalCluster, until } from "../local-cluster.ts";
import { spread } from "../pairs.ts";
import { childrenOf } from "../processes.ts";
import type { Experiment } from "./experiment.ts";
import { isRight, type TickOutput, valueBytes } from "./ticks.ts";

const ticksPerSec = 1_000;
const limitMs = 120_000;

export const recovery: Experiment = {
  name: "recovery",
  what: "SIGKILL of the TaskManager that runs the job, 100 MB of state, a slot stands by",
  async run({ quick, onStep }) {
    const keys = quick ? 10_000 : 100_000;
    const hot = keys / 100;
    const kills = quick ? 1 : 7;
    await using cluster = await LocalCluster.start(
      { taskManagers: 2, slots: 1 },
      { published: true },
    );
    const { client } = cluster;
    const log = join(cluster.dir, "outputs");
    const jobId = await cluster.submit(
      "experiments/ticks.ts",
      { keys: String(keys), hot: String(hot), ticksPerSec: String(ticksPerSec), log },
      1,
    );
    const hasState = async (): Promise<boolean> => {
      const latest = (await client.checkpoints(jobId)).latest.completed;
      return latest !== null && latest.state_size > keys * valueBytes * 0.5;
    };
    onStep("filling the state");
    await until(limitMs, hasState);
    const gaps: number[] = [];
    let wrong = 0;
    for (let kill = 0; kill < kills; kill++) {
      await pause(3_000);
      const victim = cluster.taskManagers.find(({ pid }) => childrenOf(pid ?? 0).length > 0);
      if (victim === undefined) throw new Error("no TaskManager runs the job");
      const before = outputsOf(log).length;
      const killedRunners = childrenOf(victim.pid ?? 0);
      const killedAt = Date.now();
      victim.kill("SIGKILL");
      // The runner outlives its TaskManager by some milliseconds: what it writes then is no output of the next attempt.
      const isNew = (output: TickOutput): boolean => !killedRunners.includes(output.pid);
      await until(limitMs, async () => outputsOf(log).slice(before).some(isNew));
      const fresh = outputsOf(log).slice(before).filter(isNew);
      wrong += fresh.filter((output) => !isRight(output, hot)).length;
      const first = fresh.find((output) => isRight(output, hot));
      gaps.push((first?.atMs ?? Number.NaN) - killedAt);
      onStep(`kill ${kill + 1}: ${gaps.at(-1)} ms`);
      await cluster.addTaskManager();
    }
    await client.cancel(jobId);
    if (wrong > 0) throw new Error(`${wrong} outputs were wrong`);
    return [
      {
        figure: "kill to first right output",
        unit: "ms",
        values: spread(gaps, 0),
        aim: "≤ 1,000",
        flink: "1,733–3,495 tuned, 33,867 by default",
      },
    ];
  },
};

function outputsOf(log: string): readonly TickOutput[] {
  const lines = readFileSync(log, "utf8").split("\n");
  // The last line may be half written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as TickOutput);
}
