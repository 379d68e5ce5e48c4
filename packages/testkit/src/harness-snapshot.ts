/**
 * What a subtask under test stored, and what those of the next run are given of it: by the plan of a real restore.
 *
 * HSN-1  Segments, lists, key types and watermarks are dealt by `planRestore`, at the old parallelism and at another one.
 * HSN-2  What was encoded is all that a restore sees.
 */
import {
  type Manifest,
  type OperatorSnapshot,
  planRestore,
  type RestoredOperator,
} from "@millrace/checkpoint";
import { unknownType, valueCodec } from "@millrace/data";
import type { ChainedOperator, JobGraph, JobVertex } from "@millrace/graph";
import { buildSegment, type HashMapBackend, type StateSnapshot } from "@millrace/state";

/** What one subtask stored. */
export interface HarnessSnapshot {
  readonly checkpointId: number;
  readonly state: OperatorSnapshot;
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Live rows by table. Timers are rows of `timers:event` and `timers:processing`. */
  readonly rows: ReadonlyMap<string, number>;
}
export interface RestoringSubtask {
  readonly kind: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/** The only operator there is. */
export const uid = "op";
const vertex = "v0";
const graphDigest = "the same graph";
const anyValue = valueCodec(unknownType);

/** What this subtask restores of what all of an earlier run stored. */
export function restoredOperator(
  to: RestoringSubtask,
  from: readonly HarnessSnapshot[],
): RestoredOperator | undefined {
  const checkpointId = from[0]?.checkpointId;
  if (checkpointId === undefined) return undefined;
  const { kind, parallelism, maxParallelism } = to;
  const manifest: Manifest = {
    formatVersion: 1,
    jobId: "job",
    checkpointId,
    epoch: 1,
    attempt: 1,
    base: null,
    kind: "checkpoint",
    triggeredAt: 0,
    graphDigest,
    vertices: [
      {
        vertex,
        uids: [uid],
        parallelism: from.length,
        maxParallelism,
        subtasks: from.map(({ state }, subtask) => ({
          vertex,
          subtask,
          operators: [state],
          finished: false,
          uploaded: [],
          timings: { alignmentMs: 0, syncMs: 0, asyncMs: 0, startDelayMs: 0 },
          fullBytes: 0,
          newBytes: 0,
        })),
      },
    ],
  };
  // The plan looks at no more than this of a graph that has not changed.
  const operators = [{ uid, kind }] as readonly Partial<ChainedOperator>[];
  const vertices = [
    { id: vertex, role: "task", parallelism, maxParallelism, operators },
  ] as readonly Partial<JobVertex>[];
  const graph = { digest: graphDigest, vertices } as Partial<JobGraph> as JobGraph;
  return planRestore(manifest, graph)[`${vertex}#${to.subtask}`]?.operators[uid];
}

export async function restoreBackend(
  backend: HashMapBackend,
  restored: RestoredOperator | undefined,
  from: readonly HarnessSnapshot[],
): Promise<void> {
  const checkpointId = from[0]?.checkpointId;
  if (restored === undefined || checkpointId === undefined) return;
  const objects = new Map(from.flatMap((snapshot) => [...snapshot.objects]));
  await backend.restore({ ...restored, checkpointId, sameJob: true }, async (object, from, to) =>
    (objects.get(object) as Uint8Array).subarray(from, to),
  );
}

/** Encodes what the backend has captured; objects of older snapshots stay. */
export function stored(taken: {
  readonly checkpointId: number;
  readonly keyGroups: { readonly from: number; readonly to: number };
  readonly state: StateSnapshot;
  readonly restore: readonly HarnessSnapshot[];
}): Pick<HarnessSnapshot, "objects"> & Pick<OperatorSnapshot, "segments"> {
  const { checkpointId, keyGroups, state, restore } = taken;
  const objects = new Map(restore.flatMap(({ objects }) => [...objects]));
  const segments = [...state.carried];
  for (const [part, captured] of state.parts.entries()) {
    const older = (part === 0 ? state.merged : []).map(({ object, from, to }) => ({
      bytes: objects.get(object) as Uint8Array,
      groups: { from, to },
    }));
    const { bytes, rows, crc } = buildSegment({ captured, older }, undefined);
    const object = `chk-${checkpointId}-${keyGroups.from}-${part}`;
    objects.set(object, bytes);
    const level = state.level + part;
    segments.push({ object, offset: 0, length: bytes.length, rows, crc, level, ...keyGroups });
  }
  return { objects, segments };
}

export function encodeItem(item: unknown): string {
  return String.fromCharCode(...anyValue.encode(item));
}
export function decodeItem(text: string): unknown {
  return anyValue.decode(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}
/** Items that a snapshot holds under this name. */
export function itemsOf({ state }: HarnessSnapshot, name: string): readonly unknown[] {
  return state.lists
    .filter((list) => list.name === name)
    .flatMap((list) => list.items.map(decodeItem));
}
