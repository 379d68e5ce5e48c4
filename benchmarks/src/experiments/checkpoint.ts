/** Checkpoints of 100 MB of state, of which 1 % changes between them, in a file store: every second, one slot. */
import { setTimeout as pause } from "node:timers/promises";
import { LocalCluster, until } from "../local-cluster.ts";
import { quantiles, spread } from "../pairs.ts";
import type { Experiment, Figure } from "./experiment.ts";
import { valueBytes } from "./ticks.ts";

const limitMs = 120_000;

export const checkpoint: Experiment = {
  name: "checkpoint",
  what: "100 MB of state in one slot, 1 % changed a second, a checkpoint a second, file store",
  async run({ quick, onStep }) {
    const keys = quick ? 10_000 : 100_000;
    const hot = keys / 100;
    const wanted = quick ? 5 : 60;
    await using cluster = await LocalCluster.start(
      { taskManagers: 1, slots: 1 },
      { published: true },
    );
    const { client } = cluster;
    const jobId = await cluster.submit(
      "experiments/ticks.ts",
      { keys: String(keys), hot: String(hot), ticksPerSec: String(hot) },
      1,
    );
    onStep("filling the state");
    const full = keys * valueBytes * 0.5;
    await until(limitMs, async () => {
      const latest = (await client.checkpoints(jobId)).latest.completed;
      return latest !== null && latest.state_size > full;
    });
    // The next ones still hold what was filled between.
    await pause(3_000);
    const seen = new Map<number, Seen>();
    const first = (await client.checkpoints(jobId)).latest.completed?.id ?? 0;
    onStep(`${wanted} checkpoints`);
    await until(limitMs + wanted * 2_000, async () => {
      for (const entry of (await client.checkpoints(jobId)).history)
        if (entry.status === "COMPLETED" && entry.id > first) seen.set(entry.id, entry);
      return seen.size >= wanted;
    });
    await client.cancel(jobId);
    return figures([...seen.values()], hot * valueBytes);
  },
};

interface Seen {
  readonly end_to_end_duration: number;
  readonly sync_ms: number;
  readonly checkpointed_size: number;
  readonly state_size: number;
}
function figures(seen: readonly Seen[], changedBytes: number): readonly Figure[] {
  const durations = seen.map((entry) => entry.end_to_end_duration);
  const [p50, , p99] = quantiles(durations);
  const mb = 2 ** 20;
  return [
    {
      figure: "duration",
      unit: "ms",
      values: spread(durations),
      aim: "≤ 150",
      flink: "heap 3,122, RocksDB 353",
    },
    {
      figure: "duration, p50/p99/greatest",
      unit: "ms",
      values: [p50, p99, Math.max(...durations)],
    },
    {
      figure: "synchronous part",
      unit: "ms",
      values: spread(seen.map((entry) => entry.sync_ms)),
      aim: "≤ 5",
    },
    {
      figure: "uploaded over changed",
      unit: "×",
      values: spread(
        seen.map((entry) => entry.checkpointed_size / changedBytes),
        2,
      ),
      aim: "≤ 2",
    },
    {
      figure: "state",
      unit: "MB",
      values: spread(seen.map((entry) => entry.state_size / mb)),
      flink: "116",
    },
  ];
}
