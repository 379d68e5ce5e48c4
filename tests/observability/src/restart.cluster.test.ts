/**
 * RSM-1  A JobManager that is killed and started again on the same storage goes on with all jobs by itself: every record counts once.
 * RSM-2  It still knows what has ended, and when; attempts of what goes on are numbered on. Exceptions, counts of restarts and of
 *        checkpoints are those of the present JobManager, as in Flink.
 */
import { join } from "node:path";
import { submitJob } from "@millrace/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, until } from "./cluster.ts";
import { expectedSums, sortedSums, sumsOf } from "./sums.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start(2);
});
afterAll(async () => {
  await cluster?.close();
});

test("RSM-1, RSM-2: two jobs outlive their JobManager", { timeout: 60_000 }, async () => {
  const sums = { file: join(import.meta.dirname, "../jobs/sums.ts"), check: false };
  const start = async (name: string, count: number, more: Readonly<Record<string, string>> = {}) =>
    ({
      name,
      count,
      ...(await submitJob(cluster.client, {
        ...sums,
        jobName: name,
        parameters: { output: join(cluster.dir, name), count: String(count), ...more },
      })),
    }) as const;
  const ended = await start("ended", 10);
  const steady = await start("steady", 2_000);
  const shaken = await start("shaken", 1_700, {
    failAt: "200",
    failed: join(cluster.dir, "failed"),
  });
  await stateOf(ended.jobId, "FINISHED");
  for (const { jobId, name } of [steady, shaken]) {
    await until(`${name} to have committed`, () =>
      sumsOf(join(cluster.dir, name)).length > 300 ? true : undefined,
    );
    await stateOf(jobId, "RUNNING");
  }
  const before = await Promise.all([steady, shaken].map(({ jobId }) => seen(jobId)));
  expect(before).toMatchObject([
    { attempt: 1, restarts: 0, exceptions: [] },
    {
      attempt: 2,
      restarts: 1,
      exceptions: [{ exceptionName: "USER_CODE_THREW", attempt: 1 }],
    },
  ]);
  const endedBefore = await cluster.client.job(ended.jobId);
  const epoch = (await cluster.client.overview()).epoch;

  await cluster.kill("jobmanager");
  await expect(cluster.client.overview()).rejects.toMatchObject({ code: "CLIENT_UNREACHABLE" });
  await cluster.startJobManager();

  const { jobs } = await cluster.get<{ readonly jobs: readonly object[] }>("/jobs/overview");
  expect(jobs).toHaveLength(3);
  for (const { jobId, name } of [ended, steady, shaken])
    expect(jobs).toContainEqual(expect.objectContaining({ jid: jobId, name }));
  for (const { jobId } of [steady, shaken]) await stateOf(jobId, "RUNNING");
  const after = await Promise.all([steady, shaken].map(({ jobId }) => seen(jobId)));
  for (const [i, now] of after.entries()) {
    // A new leader is no failure of the job: it goes on from its newest checkpoint in an attempt of its own.
    expect(now).toMatchObject({ restarts: 0, exceptions: [], counts: { restored: 1, failed: 0 } });
    expect(now.attempt).toBe((before[i]?.attempt ?? 0) + 1);
    expect(now.restored).toBeGreaterThanOrEqual(before[i]?.newest ?? Number.NaN);
  }
  const endedAfter = await cluster.client.job(ended.jobId);
  for (const field of ["state", "start-time", "end-time", "duration", "attempt"] as const)
    expect(endedAfter[field], field).toBe(endedBefore[field]);
  for (const { jobId } of [steady, shaken]) await stateOf(jobId, "FINISHED");
  for (const { name, count } of [ended, steady, shaken])
    expect(sortedSums(sumsOf(join(cluster.dir, name))), name).toEqual(expectedSums(count));
  expect((await cluster.client.overview()).epoch).toBe(epoch + 1);
});

async function seen(jobId: string) {
  const { attempt, restarts } = await cluster.client.job(jobId);
  const { exceptionHistory } = await cluster.client.exceptions(jobId);
  const { counts, latest } = await cluster.client.checkpoints(jobId);
  return {
    attempt,
    restarts,
    exceptions: exceptionHistory.entries.map(({ exceptionName, attempt: of }) => ({
      exceptionName,
      attempt: of,
    })),
    newest: latest.completed?.id ?? 0,
    restored: latest.restored?.id,
    counts,
  };
}
function stateOf(jobId: string, wanted: string): Promise<true> {
  return until(`${jobId} to be ${wanted}`, async () =>
    (await cluster.client.job(jobId)).state === wanted ? true : undefined,
  );
}
