import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkValue } from "./check-value.ts";
import { anyField, anyPlain, anyString, objectOf } from "./plain.fixture.ts";
import { valueCodec } from "./state-codec.ts";
import type { FieldNode, TypeNode } from "./type.ts";
import { inferType, joinTypes } from "./type-infer.ts";
import { typeFromJson, typeToJson } from "./type-json.ts";
import { typeToText } from "./type-text.ts";
import { encodeValue } from "./value.ts";
import { valueFromJson, valueToJson } from "./value-json.ts";

const runs = { numRuns: 60 };
const scalar = (
  kind:
    | "string"
    | "boolean"
    | "int32"
    | "int64"
    | "bigint"
    | "float64"
    | "timestamp"
    | "bytes"
    | "json"
    | "unknown",
): TypeNode => ({ kind });

/** A type and values of it. */
interface Typed {
  readonly type: TypeNode;
  readonly values: fc.Arbitrary<unknown>;
}
const scalars: readonly Typed[] = [
  { type: scalar("string"), values: anyString },
  { type: scalar("boolean"), values: fc.boolean() },
  { type: scalar("int32"), values: fc.integer() },
  { type: scalar("int64"), values: fc.maxSafeInteger() },
  { type: scalar("bigint"), values: fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }) },
  { type: scalar("float64"), values: fc.double() },
  { type: scalar("timestamp"), values: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { type: scalar("bytes"), values: fc.uint8Array({ maxLength: 5 }) },
  { type: scalar("json"), values: fc.jsonValue({ maxDepth: 2 }) },
  { type: scalar("unknown"), values: anyPlain },
  { type: { kind: "enum", values: ["a", "", "é"] }, values: fc.constantFrom("a", "", "é") },
];
const typed: fc.Arbitrary<Typed> = fc.letrec<{ typed: Typed }>((tie) => ({
  typed: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom(...scalars),
    tie("typed")
      .filter(({ type }) => type.kind !== "nullable")
      .map(({ type, values }) => ({
        type: { kind: "nullable", of: type } as const,
        values: fc.option(values),
      })),
    tie("typed").map(({ type, values }) => ({
      type: { kind: "array", of: type } as const,
      values: fc.array(values, { maxLength: 3 }),
    })),
    tie("typed").map(({ type, values }) => ({
      type: { kind: "map", of: type } as const,
      values: fc
        .uniqueArray(fc.tuple(anyField, values), { maxLength: 3, selector: (e) => e[0] })
        .map(objectOf),
    })),
    fc.array(tie("typed"), { maxLength: 3 }).map((items) => ({
      type: { kind: "tuple", items: items.map((i) => i.type) } as const,
      values: fc.tuple(...items.map((i) => i.values)),
    })),
    fc
      .uniqueArray(fc.tuple(anyField, tie("typed"), fc.boolean()), {
        maxLength: 4,
        selector: (e) => e[0],
      })
      .map((fields) => ({
        type: {
          kind: "object",
          fields: fields.map(
            ([name, { type }, optional]): FieldNode => ({
              name,
              type,
              ...(optional ? { optional: true as const } : {}),
            }),
          ),
        } as const,
        values: fc
          .tuple(
            ...fields.map(([name, { values }, optional]) =>
              optional
                ? fc.option(
                    values.map((v) => [name, v] as const),
                    { nil: undefined },
                  )
                : values.map((v) => [name, v] as const),
            ),
          )
          .map((entries) =>
            objectOf(
              entries.filter(
                (e) =>
                  (e !== undefined && e[1] !== undefined) ||
                  (e !== undefined && !fields.some(([n, , o]) => n === e[0] && o)),
              ) as [string, unknown][],
            ),
          ),
      })),
  ),
})).typed;
const typeAndValue = typed.chain(({ type, values }) => fc.tuple(fc.constant(type), values));

describe("value codec", () => {
  test("STC-1: every value of a type comes back equal", () => {
    fc.assert(
      fc.property(typeAndValue, ([type, value]) => {
        checkValue(type, value);
        const codec = valueCodec(type);
        deepStrictEqual(codec.decode(codec.encode(value)), value);
      }),
      runs,
    );
  });
  test("STC-2: a value that came back has the same bytes again", () => {
    fc.assert(
      fc.property(typeAndValue, ([type, value]) => {
        const codec = valueCodec(type);
        const bytes = codec.encode(value);
        deepStrictEqual(codec.encode(codec.decode(bytes)), bytes);
      }),
      runs,
    );
  });
  test.each<[string, TypeNode, unknown, string, string]>([
    ["int32 beyond its range", scalar("int32"), 2 ** 31, "", "2147483648"],
    ["a fraction in int32", scalar("int32"), 1.5, "", "1.5"],
    ["int64 beyond 2^53", scalar("int64"), 2 ** 53, "", "9007199254740992"],
    ["a NaN time", scalar("timestamp"), Number.NaN, "", "NaN"],
    ["a Date for a time", scalar("timestamp"), new Date(0), "", "date"],
    ["null", scalar("string"), null, "", "null"],
    ["a value outside the enum", { kind: "enum", values: ["a"] }, "b", "", '"b"'],
    ["an item", { kind: "array", of: scalar("int32") }, [1, "2"], "[1]", '"2"'],
    ["a map value", { kind: "map", of: scalar("int32") }, { k: 1n }, '["k"]', "1n"],
    [
      "a missing field",
      { kind: "object", fields: [{ name: "a", type: scalar("string") }] },
      {},
      ".a",
      "undefined",
    ],
    [
      "an inherited field",
      { kind: "object", fields: [{ name: "toString", type: scalar("unknown") }] },
      {},
      ".toString",
      "undefined",
    ],
    ["an extra field", { kind: "object", fields: [] }, { b: 1 }, ".b", "1"],
    [
      "a nested field",
      {
        kind: "object",
        fields: [{ name: "a", type: { kind: "tuple", items: [scalar("bytes")] } }],
      },
      { a: ["x"] },
      ".a[0]",
      '"x"',
    ],
    ["undefined in JSON", scalar("json"), [undefined], "[0]", "undefined"],
    ["a class instance", { kind: "object", fields: [] }, new Map(), "", "map"],
  ])("CHK-1: %s is refused with its path", (_name, type, value, path, found) => {
    const refusal = expect.objectContaining({
      code: "DATA_TYPE_MISMATCH",
      fields: expect.objectContaining({ path, found }),
    });
    expect(() => {
      checkValue(type, value);
    }).toThrow(refusal);
    expect(() => valueCodec(type).encode(value)).toThrow(refusal);
  });
  test("CHK-2: an optional field that is undefined is stored as absent", () => {
    const codec = valueCodec({
      kind: "object",
      fields: [{ name: "a", type: scalar("string"), optional: true }],
    });
    deepStrictEqual(codec.decode(codec.encode({ a: undefined })), {});
  });
  test("INF-1: an optional field of unknown type tells undefined from absent", () => {
    const rows = [{ a: 1, c: undefined }, { a: 2 }];
    const codec = valueCodec(
      joinTypes(inferType(rows[0], undefined), inferType(rows[1], undefined)),
    );
    for (const row of rows) deepStrictEqual(codec.decode(codec.encode(row)), row);
  });
  test("VAL-2: there is one NaN", () => {
    const odd = new Float64Array(new BigUint64Array([0x7ff0_0000_0000_0001n]).buffer)[0];
    deepStrictEqual(encodeValue(odd), encodeValue(Number.NaN));
  });
});

describe("JSON forms", () => {
  test("TYP-2: a type comes back from its JSON", () => {
    fc.assert(
      fc.property(typed, ({ type }) => {
        deepStrictEqual(typeFromJson(JSON.parse(JSON.stringify(typeToJson(type)))), type);
      }),
      runs,
    );
  });
  test.each([
    null,
    1,
    {},
    { kind: "x" },
    { kind: "array" },
    { kind: "enum", values: [] },
    { kind: "enum", values: ["a", "a"] },
    { kind: "object", fields: [{ name: 1 }] },
    { kind: "nullable", of: { kind: "nullable", of: { kind: "string" } } },
    {
      kind: "object",
      fields: [
        { name: "a", type: { kind: "string" } },
        { name: "a", type: { kind: "string" } },
      ],
    },
  ])("TYP-2: %j is refused", (json) => {
    expect(() => typeFromJson(json)).toThrow(expect.objectContaining({ code: "DATA_BAD_TYPE" }));
  });
  test("VJS-1: a typed value comes back from its JSON", () => {
    fc.assert(
      fc.property(
        typeAndValue.filter(([type]) => !/unknown|json/.test(typeToText(type))),
        ([type, value]) => {
          deepStrictEqual(
            valueFromJson(type, JSON.parse(JSON.stringify(valueToJson(type, value)))),
            value,
          );
        },
      ),
      runs,
    );
  });
});

describe("inference", () => {
  test("INF-1: the type inferred from values accepts them all, and its codec gives them back", () => {
    fc.assert(
      fc.property(fc.array(anyPlain, { minLength: 1, maxLength: 6 }), (values) => {
        let type: TypeNode | undefined;
        for (const value of values) type = inferType(value, type);
        const codec = valueCodec(type ?? scalar("unknown"));
        for (const value of values) deepStrictEqual(codec.decode(codec.encode(value)), value);
      }),
      runs,
    );
  });
  test("INF-1: joining accepts what either accepted", () => {
    fc.assert(
      fc.property(anyPlain, anyPlain, (a, b) => {
        const type = joinTypes(inferType(a, undefined), inferType(b, undefined));
        checkValue(type, a);
        checkValue(type, b);
      }),
      runs,
    );
  });
  test.each<[unknown[], string]>([
    [[1, 2], "int32"],
    [[1, 1.5], "float64"],
    [[1, -0], "float64"],
    [[1, null], "int32 | null"],
    [[null, "a"], "string | null"],
    [[null], "unknown | null"],
    [[[], [1]], "int32[]"],
    [[[]], "[]"],
    [[{ a: 1 }, { a: 2, b: "x" }], "{ a: int32, b?: string }"],
    [[{ a: 1 }, {}], "{ a?: int32 }"],
    [[{ a: { b: 1 } }, { a: { b: null } }], "{ a: { b: int32 | null } }"],
    [[1, "a"], "unknown"],
    [[new Date(0)], "unknown"],
    [[undefined], "unknown"],
    [[1, "a", 1], "unknown"],
  ])("INF-2: %j is %s", (values, expected) => {
    let type: TypeNode | undefined;
    for (const value of values) type = inferType(value, type);
    expect(typeToText(type ?? scalar("unknown"))).toBe(expected);
  });
});
