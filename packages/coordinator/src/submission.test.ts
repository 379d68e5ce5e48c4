import { jobId } from "@millrace/base";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { createVirtualPlatform, faultyStore } from "@millrace/testkit";
import { expect, test } from "vitest";
import { simpleGraph } from "./simple-graph.fixture.ts";
import { JobRegistry as Registry, type Submission } from "./submission.ts";

const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
const platform = createVirtualPlatform(1, settle);
class JobRegistry extends Registry {
  constructor(store: BlobStore) {
    super(store, platform);
  }
}

const submission = (n: number): Submission => ({
  formatVersion: 1,
  jobId: jobId(String(n).padStart(32, "0")),
  jobName: "job",
  graph: simpleGraph,
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

test.each([
  ["another graph", { graph: { ...simpleGraph, digest: "other" } }],
  ["another name", { jobName: "other" }],
  ["another bundle", { bundle: "bundles/y" }],
  ["other parameters", { build: { parameters: { a: 1 } } }],
])("SUB-4: an id that is taken is refused to %s", async (_what, change) => {
  const registry = new JobRegistry(memoryBlobStore());
  await registry.load();
  await registry.add(submission(1));
  await expect(registry.add({ ...submission(1), ...change })).rejects.toMatchObject({
    code: "JOB_ID_TAKEN",
  });
  const later = { ...submission(1), submittedAt: 7, epoch: 3 };
  expect(await registry.add(later)).toEqual(submission(1));
});

test("SUB-3: whatever the store does to the answers, a job is submitted once, and so is its repetition", async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const rough = createVirtualPlatform(seed, settle);
    const faults = { delayMs: 20, failed: 0.2, lost: 0.3, late: 0.2, lateMs: 200, lagging: 0 };
    const truth = memoryBlobStore();
    const registry = new Registry(
      faultyStore(truth, rough, () => faults),
      rough,
    );
    let answered = 0;
    const done = (async () => {
      await registry.load();
      await Promise.all([1, 2, 1].map((n) => registry.add(submission(n))));
      answered += 1;
    })();
    await rough.run({ until: 600_000, stop: () => answered > 0 });
    await done;
    // What comes late changes nothing either.
    await rough.run({ until: rough.now + 10_000 });
    const ids = await new JobRegistry(truth).load();
    expect([...ids].sort(), `seed ${seed}`).toEqual([submission(1).jobId, submission(2).jobId]);
  }
});

test.each([
  ["no JSON", "{"],
  ["null", "null"],
  ["another job's", JSON.stringify(submission(2))],
  ["without a graph", JSON.stringify({ ...submission(1), graph: undefined })],
  [
    "with half a graph",
    JSON.stringify({ ...submission(1), graph: { formatVersion: 1, vertices: [] } }),
  ],
  ["without parameters", JSON.stringify({ ...submission(1), build: {} })],
])("a stored submission that is %s is refused", async (_what, text) => {
  const store = memoryBlobStore();
  await store.create(`jobs/${submission(1).jobId}/submission`, new TextEncoder().encode(text));
  await expect(new JobRegistry(store).read(submission(1).jobId)).rejects.toMatchObject({
    code: "JOB_BAD_SUBMISSION",
  });
});

test("a registry entry that is no id is damage, not a job", async () => {
  const store = memoryBlobStore();
  await store.create("registry/0000000000", new Uint8Array([0, 255, 10]));
  await expect(new JobRegistry(store).load()).rejects.toMatchObject({
    code: "JOB_REGISTRY_CORRUPT",
  });
});
