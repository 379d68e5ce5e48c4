/**
 * One value, every way it can travel, one key group: KEY-1, KEY-3, BAT-3; and what is no key is refused wherever it stands.
 * `MILLRACE_SEED` repeats a run.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchCodec } from "./batch.ts";
import { adaptiveCodec, decodeBatch, typedCodec } from "./batch-codec.ts";
import { encodeKey, hashKey } from "./key.ts";
import { keyGroupOf } from "./key-group.ts";
import { anyKey, anyString } from "./plain.fixture.ts";
import { type AnyType, t, typeNodeOf } from "./t.ts";
import { kind } from "./wire.ts";

const seed = Number(process.env["MILLRACE_SEED"] ?? 20_264);
const runs = (numRuns: number) => ({ numRuns, seed });
const groups = 32_768;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const groupOf = (key: unknown) => keyGroupOf(hashKey(key), groups);

function encoded(codec: BatchCodec, rows: readonly unknown[]): Uint8Array {
  const writer = codec.createWriter({ hashed: false });
  for (const row of rows) writer.add(row, Number.NaN, 0);
  return writer.take();
}
/** Without timestamps and hashes the column follows the eight bytes of the head; behind a mask stands the masked column. */
function kindsIn(bytes: Uint8Array, rows: number): string[] {
  const nameOf = (at: number) =>
    Object.entries(kind).find(([, code]) => code === bytes[at])?.[0] ?? "?";
  const first = nameOf(8);
  if (first === "mask") return [first, nameOf(8 + 2 + ((rows + 7) >>> 3))];
  return first === "dictionary" ? [first, nameOf(10)] : [first];
}

/** Rows around a key that bring it into another column; the key stands in the middle. */
const neighbours: Readonly<Record<string, (key: unknown) => readonly unknown[]>> = {
  alone: (key) => [key],
  "many times": (key) => new Array<unknown>(200).fill(key),
  "among integers": (key) => [1, key, 2],
  "among fractions": (key) => [0.5, key, -1e300],
  "among strings": (key) => ["x", key, "yy"],
  "among wide strings": (key) => ["漢字", key, "語"],
  "among lone surrogates": (key) => ["\uD800", key],
  "among nulls": (key) => [null, key, null],
  "among undefineds": (key) => [undefined, key],
  "among both": (key) => [undefined, key, null, key],
  "among everything": (key) => [1, "x", new Map(), key, null, new Date(0), [2], { a: 1 }],
  "in a dictionary": (key) =>
    Array.from({ length: 120 }, (_, i) => (i % 3 === 0 ? key : ["a", "b"][i % 2])),
};
/** As the row itself, as a field, as an optional field, deeper, in a list; and the way back to the key. */
const places: readonly {
  readonly wrap: (key: unknown, i: number) => unknown;
  readonly unwrap: (row: unknown) => unknown;
}[] = [
  { wrap: (key) => key, unwrap: (row) => row },
  { wrap: (k, i) => ({ i, k }), unwrap: (row) => (row as { k: unknown }).k },
  { wrap: (k) => ({ in: { k } }), unwrap: (row) => (row as { in: { k: unknown } }).in.k },
  { wrap: (k, i) => [i, k], unwrap: (row) => (row as unknown[])[1] },
];

function expectOneGroup(codec: BatchCodec, key: unknown, what: string): void {
  const bytes = hex(encodeKey(key));
  const group = groupOf(key);
  for (const [name, around] of Object.entries(neighbours)) {
    for (const { wrap, unwrap } of places) {
      const keys = around(key);
      const batch = decodeBatch(encoded(codec, keys.map(wrap)));
      const column = batch.column("k");
      let seen = 0;
      batch.values().forEach((row, i) => {
        if (keys[i] !== key) return;
        seen += 1;
        for (const back of column === undefined ? [unwrap(row)] : [unwrap(row), column.get(i)]) {
          if (groupOf(back) !== group || hex(encodeKey(back)) !== bytes)
            expect.fail(`${what} ${name}: ${String(key)} came back as ${String(back)}`);
        }
        const number = column?.numbers?.[i];
        if (number !== undefined) expect(groupOf(number)).toBe(group);
      });
      expect(seen).toBeGreaterThan(0);
    }
  }
}

const types: Readonly<Record<string, AnyType>> = {
  int32: t.int32,
  int64: t.int64,
  float64: t.float64,
  bigint: t.bigint,
  string: t.string,
  "string?": t.string.nullable(),
  "float64?": t.float64.nullable(),
  boolean: t.boolean,
  json: t.json(),
  "object of string": t.object({ i: t.int32, k: t.string }),
  "object of float64?": t.object({ i: t.int32, k: t.float64.optional() }),
  "object of nullable": t.object({ k: t.string.nullable() }),
  nested: t.object({ in: t.object({ k: t.int32 }) }),
  array: t.array(t.float64),
};

describe(`keys in columns, seed ${seed}`, () => {
  test("BAT-3: the neighbours below do bring keys into every column that keys can be in", () => {
    const used = new Set<string>();
    for (const key of [7, 0.5, "x", "é", "漢", "\uD800", true, 3n, [1, 2], { a: 1 }]) {
      for (const around of Object.values(neighbours)) {
        const rows = around(key);
        for (const name of kindsIn(encoded(adaptiveCodec(), rows), rows.length)) used.add(name);
      }
    }
    const { constant: _1, bytes: _2, ...inUse } = kind;
    expect([...used].sort()).toEqual(Object.keys(inUse).sort());
  });

  test("BAT-3: a key has one group, whatever column, dictionary or mask holds it and whatever shares its batch", () => {
    const key = fc.oneof(
      anyString.filter((text) => text.length > 0),
      fc.constantFrom("", 0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 0.1, Infinity),
      fc.integer(),
      fc.double({ noNaN: true }),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      anyKey,
    );
    fc.assert(
      fc.property(key, (value) => {
        expectOneGroup(adaptiveCodec(), value, "adaptive");
      }),
      runs(150),
    );
  });

  test("BAT-3: the same through every declared type, also where the key is not of it", () => {
    const key = fc.oneof(anyString, fc.integer(), fc.double({ noNaN: true }), anyKey);
    for (const [name, type] of Object.entries(types)) {
      fc.assert(
        fc.property(key, (value) => {
          expectOneGroup(typedCodec(typeNodeOf(type)), value, name);
        }),
        runs(12),
      );
    }
  });

  test("KEY-1: 1 is 1.0 and -0 is 0 in an int32 and in a float64 column, and in a tuple and an object", () => {
    const through = (key: number, other: number) =>
      decodeBatch(encoded(adaptiveCodec(), [key, other])).values()[0] as number;
    expect(kindsIn(encoded(adaptiveCodec(), [1, 2]), 2)).toEqual(["int32"]);
    expect(kindsIn(encoded(adaptiveCodec(), [1, 0.5]), 2)).toEqual(["float64"]);
    expect(groupOf(through(1, 2))).toBe(groupOf(through(1, 0.5)));
    expect(groupOf(through(-0, 2))).toBe(groupOf(0));
    expect(groupOf(through(-0, 0.5))).toBe(groupOf(through(0, 7)));
    // It does come back as -0 (BAT-2): the key makes them one, not the column.
    expect(Object.is(through(-0, 0.5), -0)).toBe(true);
    fc.assert(
      fc.property(anyKey, (value) => {
        for (const wrap of [(k: unknown) => [k, value], (k: unknown) => ({ k, value })])
          expect(hex(encodeKey(wrap(-0)))).toBe(hex(encodeKey(wrap(0))));
      }),
      runs(100),
    );
  });

  test("KEY-1: what is no key is refused wherever it stands in one, by its path", () => {
    class Point {
      readonly x = 1;
    }
    const poison = fc.constantFrom<unknown>(
      Number.NaN,
      null,
      undefined,
      new Date(0),
      new Date(Number.NaN),
      () => 1,
      Symbol("s"),
      new Map(),
      new Set([1]),
      new Uint8Array(2),
      /x/,
      new Error("x"),
      new Point(),
      Promise.resolve(1),
      new Number(1),
    );
    fc.assert(
      fc.property(
        poison,
        anyKey,
        fc.array(fc.constantFrom("tuple", "object"), { maxLength: 5 }),
        (bad, good, nesting) => {
          let key = bad;
          let path = "";
          for (const how of nesting) {
            key = how === "tuple" ? [good, key] : { a: good, k: key };
            path = how === "tuple" ? `[1]${path}` : `.k${path}`;
          }
          const refusal = expect.objectContaining({
            code: "DATA_BAD_KEY",
            fields: expect.objectContaining({ path }),
          });
          expect(() => encodeKey(key)).toThrow(refusal);
          expect(() => hashKey(key)).toThrow(refusal);
          // What the refusal left behind does not show in the next key.
          expect(hashKey(good)).toBe(hashKey(structuredClone(good)));
        },
      ),
      runs(1_500),
    );
  });

  test("KEY-1: a hole, a cycle and a key that is too deep are refused", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    // biome-ignore lint/suspicious/noSparseArray: the hole is the point
    for (const key of [cycle, [1, , 2], Array.from({ length: 17 }).reduce((k) => [k], 1)])
      for (const use of [encodeKey, hashKey])
        expect(() => use(key)).toThrow(expect.objectContaining({ code: "DATA_BAD_KEY" }));
  });
});
