import { deepStrictEqual } from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { checkValue } from "./check-value.ts";
import { t, typeNodeOf } from "./t.ts";
import type { TypeNode } from "./type.ts";
import { compareTypes, migrateValue } from "./type-evolution.ts";

const changesOf = (stored: TypeNode, wanted: TypeNode) =>
  compareTypes(stored, wanted).map((c) => `${c.path} ${c.change}`.trim());

describe("compatible changes", () => {
  const node = typeNodeOf;
  test.each<[string, TypeNode, TypeNode, string[], unknown, unknown]>([
    [
      "same",
      node(t.object({ a: t.string })),
      node(t.object({ a: t.string })),
      [".a same"],
      { a: "x" },
      { a: "x" },
    ],
    [
      "add with default",
      node(t.object({ a: t.string })),
      node(t.object({ a: t.string, n: t.int64.default(7) })),
      [".a same", ".n add-with-default"],
      { a: "x" },
      { a: "x", n: 7 },
    ],
    [
      "add with a default that JSON lacks",
      node(t.object({})),
      node(t.object({ n: t.bigint.default(2n ** 70n) })),
      [".n add-with-default"],
      {},
      { n: 2n ** 70n },
    ],
    [
      "add null by default",
      node(t.object({})),
      node(t.object({ n: t.string.nullable().default(null) })),
      [".n add-with-default"],
      {},
      { n: null },
    ],
    [
      "add optional",
      node(t.object({})),
      node(t.object({ n: t.int32.optional() })),
      [".n add-with-default"],
      {},
      {},
    ],
    [
      "drop",
      node(t.object({ a: t.string, b: t.bytes })),
      node(t.object({ a: t.string })),
      [".a same", ".b drop"],
      { a: "x", b: new Uint8Array(1) },
      { a: "x" },
    ],
    [
      "rename",
      node(t.object({ amt: t.float64 })),
      node(t.object({ amount: t.float64.was("amt") })),
      [".amount rename"],
      { amt: 1.5 },
      { amount: 1.5 },
    ],
    [
      "rename and widen",
      node(t.object({ amt: t.int32 })),
      node(t.object({ amount: t.float64.was("amt") })),
      [".amount rename", ".amount widen"],
      { amt: 1 },
      { amount: 1 },
    ],
    [
      "was of a field that is still wanted adds",
      node(t.object({ a: t.int32 })),
      node(t.object({ a: t.int32, b: t.int32.was("a").default(9) })),
      [".a same", ".b add-with-default"],
      { a: 1 },
      { a: 1, b: 9 },
    ],
    ["int32 to int64", node(t.int32), node(t.int64), ["widen"], 5, 5],
    ["int64 to float64", node(t.int64), node(t.float64), ["widen"], 5, 5],
    ["timestamp to float64", node(t.timestamp), node(t.float64), ["widen"], 5, 5],
    ["to nullable", node(t.string), node(t.string.nullable()), ["widen"], "a", "a"],
    [
      "inside nullable",
      node(t.int32.nullable()),
      node(t.float64.nullable()),
      ["widen"],
      null,
      null,
    ],
    ["more enum values", node(t.enum("a")), node(t.enum("b", "a")), ["widen"], "a", "a"],
    ["enum to string", node(t.enum("a")), node(t.string), ["widen"], "a", "a"],
    [
      "required to optional",
      node(t.object({ a: t.string })),
      node(t.object({ a: t.string.optional() })),
      [".a widen"],
      { a: "x" },
      { a: "x" },
    ],
    [
      "optional to required with default",
      node(t.object({ a: t.string.optional() })),
      node(t.object({ a: t.string.default("d") })),
      [".a add-with-default"],
      {},
      { a: "d" },
    ],
    [
      "optional stays absent",
      node(t.object({ a: t.string.optional(), b: t.int32 })),
      node(t.object({ a: t.string.optional().default("d"), b: t.int64 })),
      [".a same", ".b widen"],
      { b: 1 },
      { b: 1 },
    ],
    [
      "items",
      node(t.array(t.object({ a: t.int32 }))),
      node(t.array(t.object({ a: t.int64, b: t.string.default("") }))),
      ["[].a widen", "[].b add-with-default"],
      [{ a: 1 }],
      [{ a: 1, b: "" }],
    ],
    [
      "map values",
      node(t.map(t.object({}))),
      node(t.map(t.object({ b: t.boolean.default(true) }))),
      ["{}.b add-with-default"],
      { k: {} },
      { k: { b: true } },
    ],
    [
      "an array that was always empty",
      { kind: "tuple", items: [] },
      node(t.array(t.string)),
      ["widen"],
      [],
      [],
    ],
    [
      "a value that was always null",
      { kind: "nullable", of: { kind: "unknown" } },
      node(t.string.nullable()),
      ["widen"],
      null,
      null,
    ],
    ["to unknown", node(t.string), { kind: "unknown" }, ["widen"], "a", "a"],
  ])("EVO-1, EVO-2: %s", (_name, stored, wanted, changes, old, expected) => {
    expect(changesOf(stored, wanted)).toStrictEqual(changes);
    const migrated = migrateValue(stored, wanted)(old);
    deepStrictEqual(migrated, expected);
    checkValue(wanted, migrated);
  });
  test("EVO-2: defaults of two rows share nothing", () => {
    const migrate = migrateValue(
      node(t.object({})),
      node(t.object({ list: t.array(t.int32).default([1]) })),
    );
    const [a, b] = [migrate({}), migrate({})] as { list: number[] }[];
    expect(a?.list).not.toBe(b?.list);
  });
});

describe("incompatible changes", () => {
  test.each<[string, TypeNode, TypeNode, string, string]>([
    ["narrowing", typeNodeOf(t.float64), typeNodeOf(t.int64), "", "float64 does not become int64"],
    [
      "another kind",
      typeNodeOf(t.object({ a: t.string })),
      typeNodeOf(t.object({ a: t.int32 })),
      ".a",
      "string does not become int32",
    ],
    [
      "null refused",
      typeNodeOf(t.string.nullable()),
      typeNodeOf(t.string),
      "",
      "stored values may be null",
    ],
    [
      "no default",
      typeNodeOf(t.object({})),
      typeNodeOf(t.object({ a: t.string })),
      ".a",
      "a new field needs a default, or to be optional",
    ],
    [
      "absent refused",
      typeNodeOf(t.object({ a: t.string.optional() })),
      typeNodeOf(t.object({ a: t.string })),
      ".a",
      "stored values may lack the field",
    ],
    [
      "lost enum value",
      typeNodeOf(t.enum("a", "b")),
      typeNodeOf(t.enum("a")),
      "",
      "stored values may be b",
    ],
    [
      "inferred unknown to a type",
      { kind: "unknown" },
      typeNodeOf(t.string),
      "",
      "unknown does not become string",
    ],
    [
      "nested",
      typeNodeOf(t.map(t.array(t.string))),
      typeNodeOf(t.map(t.array(t.bytes))),
      "{}[]",
      "string does not become bytes",
    ],
    [
      "bigint to int64",
      typeNodeOf(t.bigint),
      typeNodeOf(t.int64),
      "",
      "bigint does not become int64",
    ],
  ])("EVO-1: %s", (_name, stored, wanted, path, detail) => {
    expect(compareTypes(stored, wanted).filter((c) => c.change === "incompatible")).toStrictEqual([
      expect.objectContaining({ path, detail }),
    ]);
    expect(() => migrateValue(stored, wanted)).toThrow(
      expect.objectContaining({
        code: "DATA_INCOMPATIBLE",
        fields: { paths: [path], reasons: [detail] },
      }),
    );
  });
});
