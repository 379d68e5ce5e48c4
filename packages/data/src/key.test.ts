import { deepStrictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adaptiveCodec, decodeBatch } from "./batch-codec.ts";
import { hashBytes } from "./hash.ts";
import { decodeKey, encodeKey, hashKey } from "./key.ts";
import { anyKey, anyString } from "./plain.fixture.ts";

interface Vector {
  readonly key: unknown;
  readonly bytes: string;
  readonly hash: number;
}
const vectors = JSON.parse(
  readFileSync(new URL("./hash-vectors.json", import.meta.url), "utf8"),
) as readonly Vector[];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const runs = { numRuns: 100 };

/** The hash as hash.ts describes it, in arbitrary precision: an implementation that shares nothing with the one under test. */
function referenceHash(bytes: Uint8Array): number {
  const mask = 0xffff_ffffn;
  const mul = (a: bigint, b: bigint) => (a * b) & mask;
  let h = 0x3c6e_f372n;
  for (let i = 0; i < bytes.length; i += 8) {
    const block = [...bytes.subarray(i, i + 8)].reduce(
      (sum, byte, k) => sum | (BigInt(byte) << BigInt(8 * k)),
      0n,
    );
    h = mul(h ^ (block & mask), 0x9e37_79b1n);
    h = (((h << 13n) | (h >> 19n)) & mask) ^ (block >> 32n);
    h = mul(h, 0x85eb_ca77n);
    h ^= h >> 15n;
  }
  h ^= mul(BigInt(bytes.length), 0x9e37_79b1n);
  h = mul(h ^ (h >> 16n), 0x85eb_ca6bn);
  h = mul(h ^ (h >> 13n), 0xc2b2_ae35n);
  return Number(h ^ (h >> 16n));
}

describe("encoding", () => {
  test("KEY-4, HSH-1: keys, bytes and hashes are those of the frozen vectors", () => {
    for (const { key, bytes, hash } of vectors) {
      const value: unknown =
        typeof key === "object" && key !== null && "bigint" in key
          ? BigInt(String(key.bigint))
          : key;
      expect({ key, bytes: hex(encodeKey(value)), hash: hashKey(value) }).toStrictEqual({
        key,
        bytes,
        hash,
      });
    }
  });
  test("KEY-1, KEY-2: decoding gives the key back, -0 as 0", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const bytes = encodeKey(key);
        deepStrictEqual(hex(encodeKey(decodeKey(bytes))), hex(bytes));
      }),
      runs,
    );
    deepStrictEqual(decodeKey(encodeKey(["a", -0, { z: 1, a: 2n }, "\uD800", true, 1.5, ""])), [
      "a",
      0,
      { a: 2n, z: 1 },
      "\uD800",
      true,
      1.5,
      "",
    ]);
  });
  test("KEY-1: different keys have different bytes", () => {
    const keys = [
      0,
      "0",
      0n,
      false,
      "",
      [],
      {},
      [0],
      ["0"],
      [[0]],
      [[], 0],
      { a: 0 },
      { a: "0" },
      { b: 0 },
      "\uD800",
      "\uFFFD",
      "\uDC00",
      0.5,
      2 ** 31,
      -(2 ** 31),
      -1,
      -1n,
      255n,
      256n,
      -256n,
      ["a", "b"],
      ["ab"],
      ["a", ["b"]],
      Infinity,
    ];
    expect(new Set(keys.map((k) => hex(encodeKey(k)))).size).toBe(keys.length);
  });
  test("KEY-1: 1 is 1.0, -0 is 0, the order of fields does not matter", () => {
    expect(hex(encodeKey(-0))).toBe(hex(encodeKey(0)));
    expect(hex(encodeKey({ a: 1, b: 2 }))).toBe(hex(encodeKey({ b: 2, a: 1 })));
  });
  test.each([
    [Number.NaN, "NaN", ""],
    [null, "null", ""],
    [undefined, "undefined", ""],
    [() => 1, "", ""],
    [new Date(0), "Date", ""],
    [new Uint8Array(1), "Uint8Array", ""],
    [{ a: [1, null] }, "null", ".a[1]"],
    [[new Map()], "Map", "[0]"],
  ])("DATA_BAD_KEY for %s", (key, value, path) => {
    const refusal = expect.objectContaining({
      code: "DATA_BAD_KEY",
      fields: value === "" ? expect.anything() : { value, path },
    });
    expect(() => encodeKey(key)).toThrow(refusal);
    expect(() => hashKey(key)).toThrow(refusal);
  });
});

describe("hash", () => {
  test("HSH-1, HSH-2: equals the reference at every length and offset", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(7), (bytes, offset) => {
        const moved = new Uint8Array(bytes.length + offset + 3).fill(255);
        moved.set(bytes, offset);
        expect(hashBytes(moved, offset, offset + bytes.length)).toBe(referenceHash(bytes));
      }),
      runs,
    );
  });
  test("KEY-3: every short cut agrees with the hash of the bytes", () => {
    fc.assert(
      fc.property(
        fc.oneof(anyKey, anyString, fc.string({ minLength: 25, maxLength: 60 })),
        (key) => {
          const expected = hashBytes(encodeKey(key));
          expect(hashKey(key)).toBe(expected);
        },
      ),
      runs,
    );
  });
  test("BAT-3: a key that travelled in any column or dictionary hashes as before", () => {
    fc.assert(
      fc.property(
        fc.array(anyKey, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        (keys, copies) => {
          const rows = Array.from({ length: copies }, () => keys.map((key) => ({ key }))).flat();
          for (const wrap of [false, true]) {
            const writer = adaptiveCodec().createWriter({ hashed: false });
            for (const row of rows) writer.add(wrap ? row : row.key, 0, 0);
            const back = decodeBatch(writer.take());
            const hashes = back
              .values()
              .map((v) => hashKey(wrap ? (v as { key: unknown }).key : v));
            expect(hashes).toStrictEqual(rows.map((r) => hashKey(r.key)));
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});
