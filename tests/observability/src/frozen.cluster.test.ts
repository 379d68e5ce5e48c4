/** FRZ-1  A task runner that stands still and never goes on costs its job the heartbeat's time-out and a restart, no record and no operator. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { submitJob } from "@millrace/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, until } from "./cluster.ts";
import { expectedSums, sortedSums, sumsOf } from "./sums.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start(1);
});
afterAll(async () => {
  await cluster?.close();
});

test("FRZ-1: a runner that is stopped for good is ended, told as RUNNER_FROZEN, and its job finishes", {
  timeout: 60_000,
}, async () => {
  const folder = join(cluster.dir, "frozen");
  const { jobId } = await submitJob(cluster.client, {
    file: join(import.meta.dirname, "../jobs/sums.ts"),
    check: false,
    parameters: { output: folder, count: "1200" },
  });
  await until("some rows", () => (sumsOf(folder).length > 100 ? true : undefined));
  process.kill(runnerPid(), "SIGSTOP");
  const from = performance.now();
  const { exceptionName, error } = await until("the failure", async () => {
    const { exceptionHistory } = await cluster.client.exceptions(jobId);
    return exceptionHistory.entries[0];
  });
  // 3 s is the heartbeat's time-out; a checkpoint's, ten minutes, would have been next.
  expect(performance.now() - from).toBeLessThan(15_000);
  expect(JSON.stringify([exceptionName, error])).toContain("RUNNER_FROZEN");
  await until("the end", async () =>
    (await cluster.client.job(jobId)).state === "FINISHED" ? true : undefined,
  );
  expect(sortedSums(sumsOf(folder))).toEqual(expectedSums(1_200));
});

/** The TaskManager's log tells it. */
function runnerPid(): number {
  const lines = readFileSync(join(cluster.dir, "logs", "tm-0.log"), "utf8").split("\n");
  const started = lines
    .filter((line) => line.includes('"runner started"'))
    .map((line) => Number((JSON.parse(line) as { readonly pid: unknown }).pid));
  return started.at(-1) ?? Number.NaN;
}
