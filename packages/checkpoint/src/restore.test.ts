import { keyGroupRange, type TypeNode } from "@millrace/data";
import type { ChainedOperator, JobGraph, JobVertex } from "@millrace/graph";
import { expect, test } from "vitest";
import type { Manifest, OperatorSnapshot, SegmentRef } from "./model.ts";
import { planRestore, restoreCheck } from "./restore.ts";
import { decideDeletions } from "./retention.ts";

const operator = (uid: string, kind = "map"): ChainedOperator => ({
  uid,
  functionsUid: uid,
  name: uid,
  kind,
  config: {},
  functions: [],
  inputTypes: [],
  outputType: { kind: "unknown" },
  sideOutputs: {},
  onError: { kind: "fail" },
  keys: [],
  reads: { operator: -1 },
});
const vertex = (
  id: string,
  parallelism: number,
  operators: readonly ChainedOperator[],
  role: JobVertex["role"] = "task",
): JobVertex => ({
  id,
  name: id,
  parallelism,
  maxParallelism: 16,
  slotSharingGroup: "default",
  operators,
  role,
});
const graph = (...vertices: readonly JobVertex[]) => ({ vertices }) as unknown as JobGraph;
const segment = (object: string, subtask: number, parallelism: number): SegmentRef => ({
  object,
  offset: 0,
  length: 1,
  rows: 1,
  crc: 0,
  ...keyGroupRange(subtask, parallelism, 16),
  level: 0,
});
const snapshot = (uid: string, more: Partial<OperatorSnapshot> = {}): OperatorSnapshot => ({
  uid,
  keyType: null,
  tables: [],
  segments: [],
  lists: [],
  watermark: 5,
  ...more,
});
function manifest(
  id: string,
  parallelism: number,
  of: (subtask: number) => readonly OperatorSnapshot[],
  uids: readonly string[],
): Manifest["vertices"][number] {
  return {
    vertex: id,
    uids,
    parallelism,
    maxParallelism: 16,
    subtasks: Array.from({ length: parallelism }, (_, subtask) => ({
      vertex: id,
      subtask,
      operators: of(subtask),
      finished: false,
      uploaded: [],
      timings: { alignmentMs: 0, syncMs: 0, asyncMs: 0, startDelayMs: 0 },
      fullBytes: 0,
      newBytes: 0,
    })),
  };
}
const whole = (...vertices: Manifest["vertices"]): Manifest => ({
  formatVersion: 1,
  jobId: "j",
  checkpointId: 3,
  epoch: 1,
  attempt: 1,
  base: null,
  kind: "checkpoint",
  triggeredAt: 0,
  graphDigest: "",
  vertices,
});

test("RES-2: from any parallelism to any other, every key group is restored exactly once", () => {
  for (let before = 1; before <= 6; before++) {
    for (let after = 1; after <= 6; after++) {
      const plan = planRestore(
        whole(
          manifest(
            "v0",
            before,
            (i) => [snapshot("s", { segments: [segment(`o${i}`, i, before)] })],
            ["s"],
          ),
        ),
        graph(vertex("v0", after, [operator("s")])),
      );
      const groups = Array.from(
        { length: after },
        (_, i) => plan[`v0#${i}`]?.operators["s"]?.segments ?? [],
      ).flatMap((segments) =>
        segments.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, k) => from + k)),
      );
      expect(
        [...groups].sort((a, b) => a - b),
        `${before} to ${after}`,
      ).toEqual(Array.from({ length: 16 }, (_, k) => k));
    }
  }
});

test("RES-3: split items are dealt out, each to one; union items go to all", () => {
  const old = whole(
    manifest(
      "v0",
      2,
      (i) => [
        snapshot("s", {
          lists: [
            { name: "deal", mode: "split", items: [`a${i}`, `b${i}`] },
            { name: "all", mode: "union", items: [`u${i}`] },
          ],
        }),
      ],
      ["s"],
    ),
  );
  const plan = planRestore(old, graph(vertex("v0", 3, [operator("s")])));
  const lists = [0, 1, 2].map((i) => plan[`v0#${i}`]?.operators["s"]?.lists);
  expect(lists.flatMap((list) => list?.["deal"] ?? []).sort()).toEqual(["a0", "a1", "b0", "b1"]);
  expect(lists.map((list) => list?.["all"])).toEqual([
    ["u0", "u1"],
    ["u0", "u1"],
    ["u0", "u1"],
  ]);
});

test("RES-3: at the same parallelism what is not for all stays where it was; ordered items stay together at any", () => {
  const lists = (i: number) => [
    { name: "deal", mode: "split" as const, items: [`a${i}`, `b${i}`] },
    { name: "calls", mode: "ordered" as const, items: [`x${i}`, `y${i}`] },
  ];
  const restored = (before: number, after: number, name: string) => {
    const old = whole(manifest("v0", before, (i) => [snapshot("s", { lists: lists(i) })], ["s"]));
    const plan = planRestore(old, graph(vertex("v0", after, [operator("s")])));
    return Array.from(
      { length: after },
      (_, i) => plan[`v0#${i}`]?.operators["s"]?.lists[name]?.join(" ") ?? "",
    );
  };
  expect(restored(3, 3, "deal")).toEqual(["a0 b0", "a1 b1", "a2 b2"]);
  expect(restored(3, 3, "calls")).toEqual(["x0 y0", "x1 y1", "x2 y2"]);
  expect(restored(3, 2, "deal")).toEqual(["a0 a1 a2", "b0 b1 b2"]);
  expect(restored(3, 2, "calls")).toEqual(["x0 y0 x2 y2", "x1 y1"]);
  expect(restored(2, 3, "calls")).toEqual(["x0 y0", "x1 y1", ""]);
});

test("RES-3: what readers held goes to their enumerator, and to no reader", () => {
  const old = whole(
    manifest(
      "v0",
      1,
      () => [
        snapshot("src/enumerator", {
          lists: [{ name: "enumerator", mode: "union", items: ["state"] }],
        }),
      ],
      ["src/enumerator"],
    ),
    manifest(
      "v1",
      2,
      (i) => [snapshot("src", { lists: [{ name: "splits", mode: "union", items: [`s${i}`] }] })],
      ["src"],
    ),
  );
  const plan = planRestore(
    old,
    graph(
      vertex("v0", 1, [operator("src/enumerator", "source-enumerator")], "enumerator"),
      vertex("v1", 3, [operator("src", "source")]),
    ),
  );
  expect(plan["v0#0"]?.operators["src/enumerator"]?.lists).toEqual({
    enumerator: ["state"],
    splits: ["s0", "s1"],
  });
  for (let i = 0; i < 3; i++) expect(plan[`v1#${i}`]?.operators["src"]?.lists).toEqual({});
});

test("RES-1: state without an operator, and a changed max parallelism, are refused with their reasons", () => {
  const old = whole(
    manifest("v0", 1, () => [snapshot("gone", { segments: [segment("o", 0, 1)] })], ["gone"]),
  );
  expect(() => planRestore(old, graph(vertex("v0", 1, [operator("new")])))).toThrow(
    expect.objectContaining({ code: "RESTORE_REFUSED" }),
  );
  expect(
    restoreCheck(old, graph(vertex("v0", 1, [operator("new")])), ["gone"]).map((row) => [
      row.uid,
      row.verdict,
    ]),
  ).toEqual([
    ["new", "new"],
    ["gone", "dropped"],
  ]);
  const other = { ...vertex("v0", 1, [operator("gone")]), maxParallelism: 32 };
  expect(restoreCheck(old, graph(other))[0]?.verdict).toBe("refused");
});

test("RES-5: state under keys of another type is refused where the graph tells them, with both types", () => {
  const state = (keyType: OperatorSnapshot["keyType"], i = 0) =>
    snapshot("sum", { keyType, segments: [segment(`o${i}`, i, 2)] });
  const keyed = (type: TypeNode, ...fields: readonly string[]): ChainedOperator => ({
    ...operator("sum"),
    keys: [{ fields, single: fields.length === 1 }],
    inputTypes: [type],
  });
  const order: TypeNode = {
    kind: "object",
    fields: [
      { name: "sku", type: { kind: "string" } },
      { name: "kind", type: { kind: "enum", values: ["a"] } },
      { name: "id", type: { kind: "int64" } },
      { name: "any", type: { kind: "json" } },
    ],
  };
  const verdict = (old: Manifest, ...fields: readonly string[]) =>
    restoreCheck(old, graph(vertex("v0", 2, [keyed(order, ...fields)])))[0];
  const strings = whole(manifest("v0", 2, () => [state({ kind: "string" })], ["sum"]));
  for (const fields of [["sku"], ["kind"], ["any"]])
    expect(verdict(strings, ...fields)?.verdict).toBe("matched");
  expect(verdict(strings, "id")).toEqual({
    uid: "sum",
    verdict: "refused",
    reason: "keys were string and would be float64",
  });
  expect(verdict(strings, "sku", "id")?.reason).toContain("would be [string, float64]");
  expect(() => planRestore(strings, graph(vertex("v0", 2, [keyed(order, "id")])))).toThrow(
    expect.objectContaining({
      code: "RESTORE_REFUSED",
      fields: expect.objectContaining({
        reasons: ["sum: keys were string and would be float64"],
      }),
    }),
  );
  // Subtasks that saw keys of different types, no key at all, and a type as it was recorded by the first key alone.
  const mixed = whole(
    manifest("v0", 2, (i) => [state({ kind: i === 0 ? "string" : "int32" }, i)], ["sum"]),
  );
  expect(verdict(mixed, "id")?.verdict).toBe("matched");
  expect(verdict(whole(manifest("v0", 2, () => [state(null)], ["sum"])), "id")?.verdict).toBe(
    "matched",
  );
  const first = whole(manifest("v0", 2, () => [state({ kind: "int32" })], ["sum"]));
  expect(verdict(first, "id")?.verdict).toBe("matched");
  expect(verdict(first, "sku")?.verdict).toBe("refused");
  // The same graph as before: its keys are what they were, whatever its types say.
  const same = { ...graph(vertex("v0", 2, [keyed(order, "id")])), digest: strings.graphDigest };
  expect(restoreCheck(strings, same)[0]?.verdict).toBe("matched");
  // What subtasks restore holds the type that all of them saw.
  const plan = planRestore(mixed, graph(vertex("v0", 1, [operator("sum")])));
  expect(plan["v0#0"]?.operators["sum"]?.keyType).toEqual({ kind: "unknown" });
  expect(plan["v0#0"]?.jobId).toBe(mixed.jobId);
});

test("RET-1..3: nothing retained, nothing of the own open checkpoint and nothing of a higher attempt is deleted", () => {
  const name = (n: number, epoch: number, attempt: number, file: string) =>
    `jobs/j/checkpoints/${String(n).padStart(10, "0")}-${String(epoch).padStart(10, "0")}.${String(attempt).padStart(10, "0")}/${file}`;
  const kept = name(2, 1, 1, "v0-0");
  const retained = {
    ...whole(manifest("v0", 1, () => [snapshot("s", { segments: [segment(kept, 0, 1)] })], ["s"])),
    checkpointId: 5,
    epoch: 2,
    attempt: 1,
  };
  const objects = [
    kept,
    name(5, 2, 1, "manifest"),
    name(1, 1, 1, "v0-0"),
    name(4, 2, 1, "v0-0"),
    name(6, 2, 1, "v0-0"),
    name(7, 2, 2, "v0-0"),
    name(1, 3, 1, "v0-0"),
    "jobs/j/submission",
  ];
  const deleted = decideDeletions(objects, [retained], {
    epoch: 2,
    attempt: 1,
    newest: 5,
    pending: 6,
  }).map((deletion) => deletion.object);
  expect(deleted).toEqual([name(1, 1, 1, "v0-0"), name(4, 2, 1, "v0-0")]);
});
