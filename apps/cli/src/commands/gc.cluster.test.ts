import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildJob, defineJob, generatorSource, Watermarks } from "@millrace/api";
import { jobId as toJobId } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import {
  checkpointPrefix,
  claimJob,
  encodeManifest,
  manifestName,
  sha256,
  winEpoch,
} from "@millrace/checkpoint";
import { JobRegistry } from "@millrace/coordinator";
import { chainGraph } from "@millrace/graph";
import { openStore } from "@millrace/storage";
import { expect, test } from "vitest";
import { gc } from "./gc.ts";

const jobId = "9".repeat(32);

/** A job of two completed checkpoints that has ended so, and an upload of a later attempt that never completed. */
async function endedJob(end: {
  readonly state: "CANCELED" | "FAILED";
  readonly onCancel?: "delete";
  readonly manifests: boolean;
}): Promise<{ readonly folder: string; readonly objects: () => Promise<string[]> }> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-gc-"));
  const store = await openStore(folder);
  const built = buildJob(
    defineJob(
      { name: "ended", checkpoint: { retained: 2, onCancel: end.onCancel ?? "retain" } },
      (env) => {
        env.fromSource(generatorSource({ create: (i) => i }), Watermarks.none()).print();
      },
    ),
  );
  const graph = chainGraph(built.graph);
  const epoch = await winEpoch(store, nodePlatform);
  const common = { formatVersion: 1 as const, jobId: toJobId(jobId), jobName: "ended" };
  await new JobRegistry(store, nodePlatform).add({
    ...common,
    graph,
    bundle: "b",
    build: { parameters: {} },
    submittedAt: 0,
    epoch,
  });
  const log = await claimJob({ store, platform: nodePlatform, jobId, epoch });
  for (const checkpointId of [1, 2]) {
    const ref = { jobId, checkpointId, epoch, attempt: 1 };
    const bytes = encodeManifest({
      ...ref,
      formatVersion: 1,
      base: null,
      kind: "checkpoint",
      triggeredAt: 0,
      graphDigest: graph.digest,
      vertices: [],
    });
    const manifest = manifestName(jobId, checkpointId, ref);
    if (end.manifests) await store.put(manifest, bytes);
    await log.append({
      kind: "checkpoint",
      attempt: 1,
      checkpointId,
      manifest,
      manifestSha256: sha256(bytes),
      manifestBytes: bytes.length,
    });
  }
  await store.put(
    `${checkpointPrefix(jobId)}0000000003-0000000001.0000000002/v0-0`,
    new Uint8Array(1),
  );
  await log.append({ kind: "terminal", attempt: 2, state: end.state, at: 1 });
  await store.close();
  return {
    folder,
    objects: async () => {
      const after = await openStore(folder);
      const keys: string[] = [];
      for await (const { key } of after.list(checkpointPrefix(jobId)))
        keys.push(key.slice(checkpointPrefix(jobId).length));
      await after.close();
      return keys.sort();
    },
  };
}
const both = ["0000000001", "0000000002"].map((n) => `${n}-0000000001.0000000001/manifest`);

test.each([
  ["cancelled, retained", { state: "CANCELED", manifests: true }, both],
  ["failed", { state: "FAILED", manifests: true }, both],
  [
    "cancelled, to be deleted, but its leader died",
    { state: "CANCELED", onCancel: "delete", manifests: true },
    [],
  ],
  ["cancelled and deleted", { state: "CANCELED", onCancel: "delete", manifests: false }, []],
] as const)(
  "RET-4: of a job that was %s what its end retains stays, and no upload of any attempt",
  async (_how, end, left) => {
    const { folder, objects } = await endedJob(end);
    try {
      await gc(jobId, { store: folder, json: true });
      expect(await objects()).toEqual(left);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test("RET-4: a retained checkpoint that is gone is no garbage to be tidied away: nothing is deleted", async () => {
  const { folder, objects } = await endedJob({ state: "CANCELED", manifests: false });
  try {
    await expect(gc(jobId, { store: folder, json: true })).rejects.toMatchObject({
      code: "CHECKPOINT_MISSING",
    });
    expect(await objects()).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a job that the store does not have is said to be missing, and nothing is deleted", async () => {
  const { folder, objects } = await endedJob({ state: "CANCELED", manifests: true });
  try {
    const before = await objects();
    await expect(gc("8".repeat(32), { store: folder })).rejects.toMatchObject({
      code: "CLI_NO_SUCH_JOB_IN_STORE",
    });
    expect(await objects()).toEqual(before);
  } finally {
    await rm(folder, { recursive: true });
  }
});
