import { checkpointPrefix } from "@millrace/checkpoint";
import { expect, test } from "vitest";
import { FakeCluster, graphOf } from "./fake-cluster.fixture.ts";

async function objectsOf(cluster: FakeCluster, jobId: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of cluster.store.list(checkpointPrefix(jobId)))
    keys.push(key.slice(checkpointPrefix(jobId).length));
  return keys.sort();
}
async function running(shape: Parameters<typeof graphOf>[0]) {
  const cluster = new FakeCluster();
  await cluster.start();
  await cluster.manager("tm", 2);
  const job = await cluster.submit(graphOf(shape));
  await cluster.run(10);
  return { cluster, job, objects: () => objectsOf(cluster, job.submission.jobId) };
}
const manifest = (n: number, attempt = "0000000001.0000000001") =>
  `${String(n).padStart(10, "0")}-${attempt}/manifest`;

test("CP-03: the last `retained` completed checkpoints are kept, the others go", async () => {
  const { cluster, job, objects } = await running({ checkpoint: { retained: 3 } });
  await cluster.run(5_500);
  expect(job.checkpointing.history.counts.completed).toBe(5);
  expect(await objects()).toEqual([manifest(3), manifest(4), manifest(5)]);
});

test("CP-03: also across a restart of the JobManager, which finds them in the log", async () => {
  const { cluster, objects } = await running({ checkpoint: { retained: 3 } });
  await cluster.run(4_500);
  await cluster.restart();
  cluster.managers[0]?.runners.clear();
  cluster.managers[0]?.register(cluster.coordinator);
  await cluster.run(1_100);
  const [job] = cluster.coordinator.jobs;
  expect(job?.checkpointing.history.restored?.id).toBe(4);
  expect(await objects()).toEqual([manifest(3), manifest(4), manifest(5, "0000000002.0000000002")]);
});

test("RTD-1: an earlier one that is gone is passed over", async () => {
  const { cluster, job, objects } = await running({ checkpoint: { retained: 3 } });
  await cluster.run(3_500);
  const prefix = checkpointPrefix(job.submission.jobId);
  await cluster.store.delete([`${prefix}${manifest(2)}`]);
  await cluster.restart();
  cluster.managers[0]?.runners.clear();
  cluster.managers[0]?.register(cluster.coordinator);
  await cluster.run(1_100);
  expect(await objects()).toEqual([manifest(1), manifest(3), manifest(4, "0000000002.0000000002")]);
});

test.each([
  ["cancel", "retain", "retain", 2],
  ["cancel", "delete", "retain", 0],
  ["fail", "delete", "retain", 2],
  ["fail", "retain", "delete", 0],
] as const)(
  "CP-07: %s with onCancel %s and onFailure %s leaves %i checkpoints and nothing else",
  async (end, onCancel, onFailure, left) => {
    const { cluster, job, objects } = await running({
      checkpoint: { retained: 2, onCancel, onFailure },
      restart: { strategy: "none" },
    });
    await cluster.run(3_500);
    // What an attempt has uploaded for a checkpoint that never completed, and one of a later attempt.
    const prefix = checkpointPrefix(job.submission.jobId);
    for (const attempt of ["0000000001.0000000001", "0000000009.0000000001"])
      await cluster.store.put(`${prefix}0000000004-${attempt}/v0-0`, new Uint8Array(1));
    if (end === "cancel") job.cancel();
    else
      for (const manager of cluster.managers)
        for (const { attempt } of [...manager.runners.values()]) manager.state(attempt, "FAILED");
    await cluster.run(100);
    expect(job.status.state).toBe(end === "cancel" ? "CANCELED" : "FAILED");
    expect(await objects()).toEqual([manifest(2), manifest(3)].slice(0, left));
  },
);
