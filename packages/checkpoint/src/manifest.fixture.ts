/** Manifests and snapshots of subtasks, of any content and the right shape. */
import type { TypeNode } from "@millrace/data";
import fc from "fast-check";
import type { Manifest, ManifestVertex, OperatorSnapshot, SubtaskSnapshot } from "./model.ts";

export const anyCount = fc.integer({ min: 0, max: 2 ** 40 });
const anyType: fc.Arbitrary<TypeNode> = fc.constantFrom(
  { kind: "string" },
  { kind: "nullable", of: { kind: "float64" } },
  { kind: "object", fields: [{ name: "a", type: { kind: "int32" }, optional: true }] },
);
const small = fc.integer({ min: 0, max: 4_096 });
const anyOperator: fc.Arbitrary<OperatorSnapshot> = fc.record({
  uid: fc.constantFrom("u0", "u1"),
  keyType: fc.option(anyType),
  tables: fc.array(
    fc.record({
      name: fc.constantFrom("window", "sum"),
      type: anyType,
      origin: fc.constantFrom("declared" as const, "stream" as const, "inferred" as const),
    }),
    { maxLength: 2 },
  ),
  segments: fc.array(
    fc
      .record({
        object: fc.string(),
        offset: anyCount,
        length: anyCount,
        rows: anyCount,
        crc: anyCount,
        from: small,
        size: small,
        level: anyCount,
      })
      .map(({ size, ...segment }) => ({ ...segment, to: segment.from + size })),
    { maxLength: 2 },
  ),
  lists: fc.array(
    fc.record({
      name: fc.constantFrom("splits", "inputs"),
      mode: fc.constantFrom("split" as const, "ordered" as const, "union" as const),
      items: fc.array(fc.string(), { maxLength: 3 }),
    }),
    { maxLength: 2 },
  ),
  watermark: fc.maxSafeInteger(),
});
export const anySnapshot = (vertex: string, subtask: number): fc.Arbitrary<SubtaskSnapshot> =>
  fc.record({
    vertex: fc.constant(vertex),
    subtask: fc.constant(subtask),
    operators: fc.array(anyOperator, { maxLength: 2 }),
    finished: fc.boolean(),
    uploaded: fc.array(fc.record({ object: fc.string(), sizeBytes: anyCount }), { maxLength: 1 }),
    timings: fc.record({ alignmentMs: small, syncMs: small, asyncMs: small, startDelayMs: small }),
    fullBytes: anyCount,
    newBytes: anyCount,
  });
const anyVertex: fc.Arbitrary<ManifestVertex> = fc
  .tuple(fc.constantFrom("v0", "v1"), fc.integer({ min: 1, max: 3 }), small)
  .chain(([vertex, parallelism, more]) =>
    fc.record({
      vertex: fc.constant(vertex),
      uids: fc.constantFrom(["u0"], ["u0", "u1"]),
      parallelism: fc.constant(parallelism),
      maxParallelism: fc.constant(parallelism + more),
      subtasks: fc.tuple(...Array.from({ length: parallelism }, (_, i) => anySnapshot(vertex, i))),
    }),
  );
export const anyManifest: fc.Arbitrary<Manifest> = fc.record({
  formatVersion: fc.constant(1 as const),
  jobId: fc.string(),
  checkpointId: anyCount,
  epoch: anyCount,
  attempt: anyCount,
  base: fc.option(anyCount),
  kind: fc.constantFrom("checkpoint" as const, "savepoint" as const, "final" as const),
  triggeredAt: anyCount,
  graphDigest: fc.string(),
  vertices: fc.array(anyVertex, { maxLength: 2 }),
});
