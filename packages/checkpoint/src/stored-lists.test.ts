import { expect, test } from "vitest";
import { decodeManifest, encodeManifest } from "./codec.ts";
import type { ListSnapshot, Manifest, OperatorSnapshot } from "./model.ts";
import { referencedObjects } from "./pending-checkpoint.ts";
import { inlineListBytes, loadLists, storeLists } from "./stored-lists.ts";

const object = "jobs/j/checkpoints/0000000003-0000000001.0000000001/v0-0";
const items = (bytes: number) => Array.from({ length: 8 }, (_, i) => String(i).repeat(bytes / 8));
const large = items(inlineListBytes * 2);
const list = (name: string, values: readonly string[]): ListSnapshot => ({
  name,
  mode: "split",
  items: values,
});
const operator = (uid: string, ...lists: readonly ListSnapshot[]): OperatorSnapshot => ({
  uid,
  keyType: null,
  tables: [],
  segments: [],
  lists,
  watermark: 0,
});
const manifestOf = (operators: readonly OperatorSnapshot[]): Manifest => ({
  formatVersion: 1,
  jobId: "j",
  checkpointId: 3,
  epoch: 1,
  attempt: 1,
  base: null,
  kind: "checkpoint",
  triggeredAt: 0,
  graphDigest: "",
  vertices: [
    {
      vertex: "v0",
      uids: operators.map(({ uid }) => uid),
      parallelism: 1,
      maxParallelism: 8,
      subtasks: [
        {
          vertex: "v0",
          subtask: 0,
          operators,
          finished: false,
          uploaded: [],
          timings: { alignmentMs: 0, syncMs: 0, asyncMs: 0, startDelayMs: 0 },
          fullBytes: 0,
          newBytes: 0,
        },
      ],
    },
  ],
});
/** An object with something before the blocks, as segments stand there. */
const before = new Uint8Array(100).fill(7);
function stored(...operators: readonly OperatorSnapshot[]) {
  const result = storeLists(operators, { object, offset: before.length });
  const bytes = Buffer.concat([before, ...result.blocks]);
  const read = async (_: string, from: number, to: number) => bytes.subarray(from, to);
  return { ...result, bytes, read, manifest: manifestOf(result.operators) };
}

test("STL-1: a small list stands in the manifest, a large one behind the segments; both come back", async () => {
  const operators = [
    operator("a", list("small", items(inlineListBytes)), list("large", large)),
    operator("b", list("none", []), list("large too", [...large].reverse())),
  ];
  const { blocks, manifest, read } = stored(...operators);
  expect(blocks).toHaveLength(2);
  const sealed = encodeManifest(manifest);
  expect(sealed.length).toBeLessThan(2 * inlineListBytes);
  expect(referencedObjects(manifest)).toEqual(new Set([object]));
  expect(await loadLists(decodeManifest(sealed), read)).toEqual(manifestOf(operators));
});

test("STL-3: a block that is damaged, cut or gone is said to be so", async () => {
  const { bytes, manifest, read } = stored(operator("a", list("large", large)));
  for (let at = before.length; at < bytes.length; at += 997) {
    const byte = bytes[at] ?? 0;
    bytes[at] = byte ^ 1;
    await expect(loadLists(manifest, read)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    bytes[at] = byte;
  }
  const cut = async (name: string, from: number, to: number) => await read(name, from, to - 1);
  await expect(loadLists(manifest, cut)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  const gone = async () => undefined;
  await expect(loadLists(manifest, gone)).rejects.toMatchObject({ code: "CHECKPOINT_MISSING" });
});
