import { jobId } from "@millrace/base";
import type { JobGraph } from "@millrace/graph";
import { memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { JobRegistry, type Submission } from "./submission.ts";

const submission = (n: number): Submission => ({
  formatVersion: 1,
  jobId: jobId(String(n).padStart(32, "0")),
  jobName: "job",
  graph: {} as JobGraph,
  bundle: "bundles/x",
  build: { parameters: {} },
  submittedAt: 0,
  epoch: 1,
});

test("SUB-2: jobs that are submitted at the same time leave no gap that would hide those behind it", async () => {
  const store = memoryBlobStore();
  const registry = new JobRegistry(store);
  await registry.load();
  await Promise.all([1, 2, 3, 4].map((n) => registry.add(submission(n))));
  expect([...(await new JobRegistry(store).load())].sort()).toEqual(
    [1, 2, 3, 4].map((n) => submission(n).jobId),
  );
});

test("SUB-1: adding a job again changes nothing", async () => {
  const store = memoryBlobStore();
  const registry = new JobRegistry(store);
  await registry.load();
  await registry.add(submission(1));
  await registry.add(submission(1));
  const again = new JobRegistry(store);
  await again.load();
  await again.add(submission(1));
  expect(new Set(await new JobRegistry(store).load())).toEqual(new Set([submission(1).jobId]));
  expect(await again.read(submission(1).jobId)).toEqual(submission(1));
});
