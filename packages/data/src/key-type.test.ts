import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeKey } from "./key.ts";
import { asKeyType, joinKeyTypes, keyTypeOf, keyTypesFit } from "./key-type.ts";
import { t, typeNodeOf } from "./t.ts";
import { typeFromJson, typeToJson } from "./type-json.ts";

const { key: anyKey } = fc.letrec((tie) => ({
  key: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.boolean(),
    fc.bigInt(),
    fc.array(tie("key"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b"), tie("key"), { noNullPrototype: true }),
  ),
}));
const declared = (type: Parameters<typeof typeNodeOf>[0]) => asKeyType(typeNodeOf(type));

describe("KTY-1", () => {
  test("keys of equal bytes are of one type, which JSON gives back", () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const [x, y] = [keyTypeOf(a), keyTypeOf(b)];
        if (Buffer.from(encodeKey(a)).equals(encodeKey(b))) expect(keyTypesFit(x, y)).toBe(true);
        expect(keyTypesFit(x, y)).toBe(keyTypesFit(y, x));
        expect(keyTypesFit(asKeyType(typeFromJson(typeToJson(x))), x)).toBe(true);
        const joined = joinKeyTypes(x, y);
        expect(keyTypesFit(joined, x) && keyTypesFit(joined, y)).toBe(true);
        expect(joinKeyTypes(joined, y)).toEqual(joined);
      }),
      { numRuns: 2_000 },
    );
  });
  test.each([
    [t.string, "x", true],
    [t.enum("a", "b"), "c", true],
    [t.string.nullable(), "x", true],
    [t.int32, 1.5, true],
    [t.timestamp, -0, true],
    [t.float64, 3, true],
    [t.bigint, 3, false],
    [t.int64, 3n, false],
    [t.string, 3, false],
    [t.boolean, "true", false],
    [t.object({ b: t.string, a: t.int32 }), { a: 1, b: "" }, true],
    [t.object({ a: t.int32 }), { a: 1, b: "" }, false],
    [t.object({ a: t.int32 }), [1], false],
    [t.json(), 3, true],
  ] as const)("%o holds the key %o: %s", (type, key, fits) => {
    expect(keyTypesFit(declared(type), keyTypeOf(key))).toBe(fits);
  });
  test("tuples fit item by item", () => {
    const pair = keyTypeOf(["a", 1]);
    expect(keyTypesFit(pair, keyTypeOf(["b", 2.5]))).toBe(true);
    for (const other of [["a"], ["a", "1"], ["a", 1, 1], { 0: "a", 1: 1 }])
      expect(keyTypesFit(pair, keyTypeOf(other))).toBe(false);
  });
});

test("KTY-2: keys of two types are of an unknown one, which fits all", () => {
  const mixed = joinKeyTypes(keyTypeOf("a"), keyTypeOf(1));
  expect(mixed).toEqual({ kind: "unknown" });
  expect(keyTypesFit(mixed, keyTypeOf(1n))).toBe(true);
  expect(
    keyTypesFit(joinKeyTypes(keyTypeOf(["a", 1]), keyTypeOf(["a", "b"])), keyTypeOf(["c", true])),
  ).toBe(true);
});
