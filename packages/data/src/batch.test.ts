import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BatchWriter, maxBatchBytes, maxBatchRows } from "./batch.ts";
import { adaptiveCodec, decodeBatch, typedCodec } from "./batch-codec.ts";
import { anyPlain, anyScalar, anyString, objectOf, regularRows } from "./plain.fixture.ts";
import { t, typeNodeOf } from "./t.ts";
import type { TypeNode } from "./type.ts";

const runs = { numRuns: 30 };

function encode(writer: BatchWriter, rows: readonly unknown[]): Uint8Array {
  rows.forEach((row, i) => {
    writer.add(row, i % 3 === 0 ? Number.NaN : i, i * 7);
  });
  return writer.take();
}
/** Twice through one writer: the second batch uses what the first has taught it. */
function roundTrip(rows: readonly unknown[], type?: TypeNode): unknown[] {
  const codec = type === undefined ? adaptiveCodec() : typedCodec(type);
  const writer = codec.createWriter({ hashed: true });
  deepStrictEqual(codec.decode(encode(writer, rows)).values(), rows);
  return codec.decode(encode(writer, rows)).values();
}

describe("values", () => {
  test("BAT-1, BAT-2: rows of one shape come back equal and in order", () => {
    fc.assert(
      fc.property(regularRows, (rows) => {
        deepStrictEqual(roundTrip(rows), rows);
      }),
      runs,
    );
  });
  test("BAT-2: any mixture of plain values comes back equal", () => {
    fc.assert(
      fc.property(fc.array(anyPlain, { maxLength: 20 }), (rows) => {
        deepStrictEqual(roundTrip(rows), rows);
      }),
      runs,
    );
  });
  test("BAT-2: columns of scalars come back equal", () => {
    fc.assert(
      fc.property(fc.array(anyScalar, { maxLength: 30 }), (rows) => {
        deepStrictEqual(roundTrip(rows), rows);
      }),
      runs,
    );
  });
  test("BAT-2: optional fields stay absent, undefined stays undefined", () => {
    const rows = [
      { a: 1, b: 2 },
      { a: 1 },
      { a: 1, b: undefined },
      { a: 1, b: null },
      { b: 2, a: 1 },
      {},
    ];
    const back = roundTrip(rows);
    deepStrictEqual(back, rows);
    expect(Object.hasOwn(back[1] as object, "b")).toBe(false);
    expect(Object.hasOwn(back[2] as object, "b")).toBe(true);
  });
  test("SHP-1: optional fields in generated code: absent, undefined, inherited names, an empty name, another order", () => {
    const rows: readonly object[] = [
      { a: 1, toString: "x", b: [1] },
      { a: 1 },
      { a: 2, b: undefined },
      { a: 3, toString: "y" },
      { a: 4, "": 5 },
      { "": 6, a: 7 },
      { a: 8, constructor: null },
    ];
    const writer = adaptiveCodec().createWriter({ hashed: false });
    for (let round = 0; round < 8; round++) {
      // Without the row of another order every batch after the first is taken by generated code.
      const batch = round < 4 ? rows.filter((r) => Object.keys(r)[0] === "a") : rows;
      for (const row of batch) writer.add(row, 0, 0);
      deepStrictEqual(decodeBatch(writer.take()).values(), batch);
    }
  });
  test("VAL-3: a value at the depth limit is taken or refused when it is added, never later", () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    let taken = 0;
    for (let depth = 120; depth < 135; depth++) {
      const writer = adaptiveCodec().createWriter({ hashed: false });
      const rows: unknown[] = [{ a: [1] }];
      writer.add(rows[0], 0, 0);
      try {
        writer.add({ a: nested(depth) }, 0, 0);
        rows.push({ a: nested(depth) });
        taken++;
      } catch (error) {
        expect(error).toMatchObject({ code: "DATA_UNENCODABLE" });
      }
      rows.push(nested(100));
      writer.add(rows.at(-1), 0, 0);
      deepStrictEqual(decodeBatch(writer.take()).values(), rows);
    }
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(15);
  });
  test("BAT-2: many rows, also beyond the first capacity, with dictionaries and text of all widths", () => {
    const words = ["red", "green", "blü", "\uD800"];
    const rows = Array.from({ length: 1_000 }, (_, i) => ({
      i,
      f: i / 3,
      w: words[i % 3],
      s: `s${i}`,
      x: i % 5 === 0 ? null : words[i % 4],
    }));
    deepStrictEqual(roundTrip(rows), rows);
  });
  test("BAT-2: a field called __proto__ is a field", () => {
    const rows = [
      objectOf([
        ["__proto__", { polluted: true }],
        ["a", 1],
      ]),
      objectOf([
        ["__proto__", 2],
        ["a", 1],
      ]),
    ];
    const back = roundTrip(rows);
    deepStrictEqual(back, rows);
    expect(Object.getPrototypeOf(back[0])).toBe(Object.prototype);
  });
  test("BAT-2: a batch at an odd address decodes alike", () => {
    const rows = [
      { a: 1.5, b: "x", c: 2n },
      { a: 2.5, b: "y", c: 3n },
    ];
    const bytes = encode(adaptiveCodec().createWriter({ hashed: true }), rows);
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(decodeBatch(moved.subarray(3)).values()).toStrictEqual(rows);
  });
  test("BAT-6: changing an object after adding it does not change the batch", () => {
    const writer = adaptiveCodec().createWriter({ hashed: false });
    const row = { n: 1, s: "a", list: [1], deep: { x: 1 } };
    for (let i = 0; i < 3; i++) {
      row.n = i;
      row.list[0] = i;
      row.deep.x = i;
      writer.add(row, 0, 0);
    }
    const odd = [1];
    writer.add(odd, 0, 0);
    odd[0] = 2;
    expect(decodeBatch(writer.take()).values()).toStrictEqual(
      [0, 1, 2].map((i) => ({ n: i, s: "a", list: [i], deep: { x: i } }) as unknown).concat([[1]]),
    );
  });
});

describe("typed codec", () => {
  const type = typeNodeOf(
    t.object({ a: t.int32, b: t.string, c: t.enum("x", "y"), d: t.float64.nullable() }),
  );
  test("BAT-2: rows of the type come back equal", () => {
    const rows = Array.from({ length: 300 }, (_, i) => ({
      a: i,
      b: `b${i}`,
      c: i % 2 === 0 ? "x" : "y",
      d: i % 3 === 0 ? null : i / 7,
    }));
    expect(roundTrip(rows, type)).toStrictEqual(rows);
  });
  test("BAT-2: rows that are not of the type lose nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.record({ a: fc.integer(), b: anyString }), anyPlain), {
          maxLength: 12,
        }),
        (rows) => {
          const all = [{ a: 1, b: "2", c: "x", d: null }, ...rows];
          deepStrictEqual(roundTrip(all, type), all);
        },
      ),
      runs,
    );
  });
});

describe("batch", () => {
  test("timestamps and hashes travel; without any timestamp all are NaN", () => {
    const codec = adaptiveCodec();
    const keyed = codec.createWriter({ hashed: true });
    keyed.add("a", 5, 0xffff_ffff);
    keyed.add("b", Number.NaN, 1);
    const batch = codec.decode(keyed.take());
    expect([...batch.timestamps]).toStrictEqual([5, Number.NaN]);
    expect([...(batch.hashes ?? [])]).toStrictEqual([0xffff_ffff, 1]);
    const plain = codec.createWriter({ hashed: false });
    plain.add("a", Number.NaN, 0);
    const other = codec.decode(plain.take());
    expect(other.hashes).toBeUndefined();
    expect([...other.timestamps]).toStrictEqual([Number.NaN]);
  });
  test("a column reads as the field of the row object does", () => {
    fc.assert(
      fc.property(regularRows, (rows) => {
        const batch = decodeBatch(encode(adaptiveCodec().createWriter({ hashed: true }), rows));
        for (const name of Object.keys(rows[0] ?? {})) {
          const view = batch.column(name);
          if (view === undefined) continue;
          const expected = rows.map((row) => (row as Record<string, unknown>)[name]);
          deepStrictEqual(
            rows.map((_, i) => view.get(i)),
            expected,
          );
          if (view.numbers !== undefined) expect([...view.numbers]).toStrictEqual(expected);
        }
      }),
      runs,
    );
  });
  test("a regular row has all its columns, an absent field none", () => {
    const batch = decodeBatch(
      encode(adaptiveCodec().createWriter({ hashed: false }), [
        { i: 1, f: 1.5, s: "a", o: [1] },
        { i: 2, f: 2, s: "b", o: [] },
      ]),
    );
    expect(["i", "f", "s", "o"].map((name) => batch.column(name)?.kind)).toStrictEqual([
      "int32",
      "float64",
      "string",
      "other",
    ]);
    expect(batch.column("z")).toBeUndefined();
  });
  test("an ASCII column gives its bytes, and only such a column", () => {
    fc.assert(
      fc.property(fc.array(anyString, { minLength: 1, maxLength: 90 }), (strings) => {
        const writer = adaptiveCodec().createWriter({ hashed: false });
        const batch = decodeBatch(
          encode(
            writer,
            strings.map((s) => ({ s })),
          ),
        );
        const ascii = batch.column("s")?.ascii;
        if (ascii === undefined) return;
        strings.forEach((s, i) => {
          const from = ascii.from + (i === 0 ? 0 : (ascii.ends[i - 1] ?? 0));
          const bytes = ascii.bytes.subarray(from, ascii.from + (ascii.ends[i] ?? 0));
          expect(String.fromCharCode(...bytes)).toBe(s);
        });
      }),
      runs,
    );
    const batchOf = (value: unknown) =>
      decodeBatch(encode(adaptiveCodec().createWriter({ hashed: false }), [{ value }]));
    expect(batchOf("abc").column("value")?.ascii).toBeDefined();
    for (const value of ["ä", 7, null, { deep: "abc" }])
      expect(batchOf(value).column("value")?.ascii).toBeUndefined();
  });
  test("BAT-5: a full batch of any rows is below the limit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyPlain, fc.array(fc.double(), { maxLength: 50 })), {
          minLength: 1,
          maxLength: 9,
        }),
        (rows) => {
          const writer = adaptiveCodec().createWriter({ hashed: true });
          for (let i = 0; !writer.full; i++) writer.add(rows[i % rows.length], 1, 1);
          expect(writer.take().length).toBeLessThan(maxBatchBytes);
        },
      ),
      { numRuns: 10 },
    );
  });
  test("BAT-5: a full batch is below the limit, also when text is not ASCII and rows are long", () => {
    const limit = fc.oneof(
      fc.constant("é"),
      fc.constant("x"),
      fc.constant("\uD83D"),
      fc.constant("漢"),
    );
    fc.assert(
      fc.property(
        limit,
        fc.integer({ min: 1, max: 8_000 }),
        fc.boolean(),
        (unit, length, object) => {
          const writer = adaptiveCodec().createWriter({ hashed: true });
          const text = unit.repeat(length);
          while (!writer.full) writer.add(object ? { text, n: 1 } : text, 1, 1);
          expect(writer.rows).toBeLessThanOrEqual(maxBatchRows);
          expect(writer.take().length).toBeLessThan(maxBatchBytes);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("refusals", () => {
  class Point {
    x = 1;
  }
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  test.each([
    ["function", () => 1, ""],
    ["symbol", Symbol("s"), ""],
    ["Point", new Point(), ""],
    ["Error", new Error("e"), ""],
    ["function", { a: [0, { b: () => 1 }] }, ".a[1].b"],
    ["Point", { a: new Map([["k", new Point()]]) }, ".a<key>"],
    ["Promise", [Promise.resolve()], "[0]"],
  ])("DATA_UNENCODABLE names a %s, its row and its path", (found, value, path) => {
    const writer = adaptiveCodec().createWriter({ hashed: false });
    writer.add({ a: 1 }, 0, 0);
    expect(() => {
      writer.add(value, 0, 0);
    }).toThrow(
      expect.objectContaining({ code: "DATA_UNENCODABLE", fields: { found, path, row: 1 } }),
    );
    writer.add({ a: 2 }, 0, 0);
    expect(decodeBatch(writer.take()).values()).toStrictEqual([{ a: 1 }, { a: 2 }]);
  });
  test("DATA_UNENCODABLE names the whole path also where generated code read the row", () => {
    const writer = adaptiveCodec().createWriter({ hashed: false });
    writer.add({ a: { b: { c: null } } }, 0, 0);
    expect(() => {
      writer.add({ a: { b: { c: () => 1 } } }, 0, 0);
    }).toThrow(expect.objectContaining({ fields: { found: "function", path: ".a.b.c", row: 1 } }));
    writer.add({ a: { b: { c: 2 } } }, 0, 0);
    const rows = [{ a: { b: { c: null } } }, { a: { b: { c: 2 } } }];
    expect(decodeBatch(writer.take()).values()).toStrictEqual(rows);
  });
  test("DATA_UNENCODABLE for a cycle", () => {
    expect(() => {
      adaptiveCodec().createWriter({ hashed: false }).add(cyclic, 0, 0);
    }).toThrow(expect.objectContaining({ code: "DATA_UNENCODABLE" }));
  });
  test("BAT-4: a dictionary code without a word is refused", () => {
    const writer = adaptiveCodec().createWriter({ hashed: false });
    for (let i = 0; i < 100; i++) writer.add(i % 2 === 0 ? "red" : "blue", Number.NaN, 0);
    const bytes = writer.take();
    bytes[bytes.length - 1] = 2;
    expect(() => decodeBatch(bytes).values()).toThrow(
      expect.objectContaining({
        code: "DATA_BAD_BATCH",
        fields: expect.objectContaining({ reason: "dictionary code" }),
      }),
    );
  });
  test("BAT-4: what is not a batch is refused", () => {
    for (const bytes of [
      [],
      [1, 2, 3],
      [0x4d, 0x42, 9, 0, 0, 0, 0, 0, 0],
      [0x4d, 0x42, 1, 0, 255, 255, 255, 255, 0],
    ]) {
      expect(() => decodeBatch(Uint8Array.from(bytes))).toThrow(
        expect.objectContaining({ code: "DATA_BAD_BATCH" }),
      );
    }
  });
});
