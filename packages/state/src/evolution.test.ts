import type { FieldNode, TypeNode } from "@millrace/data";
import type { TableDeclaration } from "@millrace/spi";
import { expect, test } from "vitest";
import { type Checkpoint, ModelledBackend } from "./backend-model.fixture.ts";

const objectOf = (...fields: readonly FieldNode[]): TypeNode => ({ kind: "object", fields });
const declared = (type: TypeNode): readonly TableDeclaration[] => [
  { name: "s", origin: "declared", type },
];
const inferred: readonly TableDeclaration[] = [
  { name: "s", origin: "inferred", type: { kind: "unknown" } },
];
const sum: FieldNode = { name: "sum", type: { kind: "float64" } };

async function stored(
  declarations: readonly TableDeclaration[],
  values: Readonly<Record<string, unknown>>,
) {
  const source = await ModelledBackend.open(declarations);
  for (const [key, value] of Object.entries(values)) source.put(key, 0, 0, value);
  return { checkpoints: [source.begin(1, undefined)()], objects: source.objects };
}

test("declared: a new field gets its default, a dropped one goes, a renamed one keeps its value", async () => {
  const from = await stored(declared(objectOf(sum, { name: "old", type: { kind: "string" } })), {
    k: { sum: 3, old: "x" },
  });
  const wanted = declared(
    objectOf(
      { name: "total", type: { kind: "float64" }, was: "sum" },
      { name: "count", type: { kind: "int32" }, default: 7 },
    ),
  );
  const restored = await ModelledBackend.open(wanted, from);
  expect(restored.get("k", 0, 0)).toEqual({ total: 3, count: 7 });
});

test("what was migrated is written whole by the next snapshot, so that no segment of the old form is left", async () => {
  const from = await stored(declared(objectOf(sum)), { a: { sum: 1 }, b: { sum: 2 } });
  const wanted = declared(objectOf({ name: "total", type: { kind: "float64" }, was: "sum" }));
  const first = await ModelledBackend.open(wanted, from);
  first.put("a", 0, 0, { total: 10 });
  const second: Checkpoint = first.begin(2, 1)();
  expect(second.segments.map(({ object }) => object)).not.toContain(
    from.checkpoints[0]?.segments[0]?.object,
  );
  const third = await ModelledBackend.open(wanted, {
    checkpoints: [second],
    objects: first.objects,
  });
  expect(third.get("a", 0, 0)).toEqual({ total: 10 });
  expect(third.get("b", 0, 0)).toEqual({ total: 2 });
});

test("STATE_INCOMPATIBLE names the state and what changed, before anything is restored", async () => {
  const from = await stored(declared(objectOf(sum)), { k: { sum: 1 } });
  await expect(
    ModelledBackend.open(declared(objectOf({ name: "sum", type: { kind: "string" } })), from),
  ).rejects.toMatchObject({
    code: "STATE_INCOMPATIBLE",
    fields: { uid: "op", state: "s", changes: [expect.stringContaining("sum")] },
  });
});

test("TBL-4: a value of another type is refused when it is put, and the old value stays", async () => {
  const now = await ModelledBackend.open(declared(objectOf(sum)));
  now.put("k", 0, 0, { sum: 1 });
  for (const wrong of [{ sum: "1" }, { sum: 1, more: 2 }, {}, 5, null, [1]])
    expect(() => now.put("k", 0, 0, wrong), JSON.stringify(wrong)).toThrow(
      expect.objectContaining({ code: "DATA_TYPE_MISMATCH" }),
    );
  expect(now.get("k", 0, 0)).toEqual({ sum: 1 });
  expect(() => now.put("new", 0, 0, { sum: "1" })).toThrow();
  expect(now.get("new", 0, 0)).toBeUndefined();
  expect(now.backend.rows()).toBe(1);
});

test("inferred: what was learnt is recorded, goes on from there, and only widens", async () => {
  const from = await stored(inferred, { a: { n: 1 }, b: { n: 2.5, extra: "x" } });
  const type = (checkpoint: Checkpoint | undefined) => checkpoint?.tables[0]?.type;
  expect(type(from.checkpoints[0])).toEqual(
    objectOf(
      { name: "n", type: { kind: "float64" } },
      { name: "extra", type: { kind: "string" }, optional: true },
    ),
  );
  const restored = await ModelledBackend.open(inferred, from);
  expect(restored.get("b", 0, 0)).toEqual({ n: 2.5, extra: "x" });
  restored.put("c", 0, 0, { n: null });
  const next = restored.begin(2, 1)();
  expect(type(next)).toEqual(
    objectOf(
      { name: "n", type: { kind: "nullable", of: { kind: "float64" } } },
      { name: "extra", type: { kind: "string" }, optional: true },
    ),
  );
  const last = await ModelledBackend.open(inferred, {
    checkpoints: [next],
    objects: restored.objects,
  });
  expect([last.get("a", 0, 0), last.get("b", 0, 0), last.get("c", 0, 0)]).toEqual([
    { n: 1 },
    { n: 2.5, extra: "x" },
    { n: null },
  ]);
});

test("BKD-5: the type of all keys is recorded; in the same job it widens, in another one keys of another type are refused", async () => {
  const from = await stored(inferred, { a: 1, b: 2 });
  expect(from.checkpoints[0]?.keyType).toEqual({ kind: "string" });
  const same = await ModelledBackend.open(inferred, from);
  same.put("c", 0, 0, 3);
  expect(same.begin(2, 1)().keyType).toEqual({ kind: "string" });
  same.put(7, 0, 0, 4);
  const mixed = { checkpoints: [same.begin(3, 1)()], objects: same.objects };
  expect(mixed.checkpoints[0]?.keyType).toEqual({ kind: "unknown" });

  const other = await ModelledBackend.open(inferred, { ...from, anotherJob: true });
  other.put("c", 0, 0, 3);
  for (const [key, found] of [
    [7, "float64"],
    [["c"], "[string]"],
    [{ c: "c" }, "{ c: string }"],
  ] as const)
    expect(() => other.backend.selectKey(key)).toThrow(
      expect.objectContaining({
        code: "STATE_KEY_CHANGED",
        fields: { uid: "op", stored: "string", found },
      }),
    );
  const any = await ModelledBackend.open(inferred, { ...mixed, anotherJob: true });
  any.put(["c"], 0, 0, 5);
  expect(any.begin(4, undefined)().keyType).toEqual({ kind: "unknown" });
});

test("rescaled: each half takes its own rows, and both together all of them", async () => {
  const values = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key-${i}`, { n: i }]));
  const from = await stored(inferred, values);
  const halves = await Promise.all(
    [
      { from: 0, to: 8 },
      { from: 8, to: 16 },
    ].map((groups) => ModelledBackend.open(inferred, from, groups)),
  );
  expect(halves.reduce((rows, half) => rows + half.backend.rows(), 0)).toBe(200);
  for (const [key, value] of Object.entries(values)) {
    const found = halves.flatMap((half) => {
      try {
        return [half.get(key, 0, 0)];
      } catch (error) {
        expect(error).toMatchObject({ code: "STATE_FOREIGN_KEY" });
        return [];
      }
    });
    expect(found).toEqual([value]);
  }
});

test("TBL-2: a barrier costs the same with few rows and many, and rows are copied a few at a time", async () => {
  const now = await ModelledBackend.open(inferred);
  for (let i = 0; i < 5_000; i++) now.put(i, 0, 0, { n: i });
  now.backend.beginSnapshot({ checkpointId: 1, base: undefined });
  let steps = 0;
  while (now.backend.step()) {
    // Records go on between the steps: what they change is not in the snapshot.
    now.put(4_999 - steps, 0, 0, { n: -1 });
    steps += 1;
  }
  expect(steps).toBeGreaterThan(10);
  const rows = now.backend.takeSnapshot().parts[0]?.[0]?.runs[0]?.rows;
  expect((rows?.length ?? 0) / 5).toBe(5_000);
});
