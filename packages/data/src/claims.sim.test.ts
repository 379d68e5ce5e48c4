/**
 * Batches that claim: every field that holds a length or a count, made by hand to claim more than there is, or as much as a reader
 * admits with the fewest bytes that can back it (BAT-4, COL-1). What a claim costs is measured where it would show: in the memory
 * of array buffers and of the heap, and in time. Zeroed memory is not resident before it is touched, so resident memory shows nothing.
 */
import { describe, expect, test } from "vitest";
import { adaptiveCodec, decodeBatch } from "./batch-codec.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { decodeKey } from "./key.ts";
import { valueCodec } from "./state-codec.ts";
import { t, typeNodeOf } from "./t.ts";
import { readValue } from "./value.ts";
import { flag, kind, maxDecodedRows } from "./wire.ts";

const limitMs = 50;
const codes = ["DATA_BAD_BATCH", "DATA_BAD_VALUE", "DATA_BAD_KEY", "DATA_TRUNCATED"];
/** What decoding may take beside what the bytes account for: error objects, stacks, code. */
const slackBytes = 4 * 1024 * 1024;
const mb = 1024 * 1024;
const huge = 0xffff_ffff;

interface Cost {
  readonly ms: number;
  readonly buffers: number;
  readonly heap: number;
  readonly code: string | undefined;
}
/** Of this thread: what a neighbour on the machine takes is not counted. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
function costOf(decode: () => unknown): Cost {
  const before = process.memoryUsage();
  const start = cpuMs();
  let code: string | undefined;
  let result: unknown;
  try {
    result = decode();
  } catch (error) {
    code = (error as { readonly code?: string }).code ?? String(error);
  }
  const ms = cpuMs() - start;
  const after = process.memoryUsage();
  expect(result === undefined).toBe(code !== undefined);
  return {
    ms,
    buffers: after.arrayBuffers - before.arrayBuffers,
    heap: after.heapUsed - before.heapUsed,
    code,
  };
}
/** Values of all rows and of a column: what is claimed lazily must be asked for. */
function decodeAll(bytes: Uint8Array): unknown {
  const batch = decodeBatch(bytes);
  return [batch.values(), batch.timestamps, batch.hashes, batch.column("a")?.get(0)];
}

type Write = (out: ByteWriter) => void;
function batch(rows: number, write: Write, flags = 0): Uint8Array {
  const out = new ByteWriter(64);
  for (const byte of [0x4d, 0x42, 1, flags]) out.u8(byte);
  out.u32(rows);
  write(out);
  return out.finish();
}
const zeros = (out: ByteWriter, count: number): void => out.raw(new Uint8Array(count));
function align(out: ByteWriter, size: number): void {
  zeros(out, -out.length & (size - 1));
}
/** A column's kind and the ends of its rows; what the ends claim is left to the caller. */
const ends =
  (k: number, ...values: readonly number[]): Write =>
  (out) => {
    out.u8(k);
    align(out, 4);
    for (const value of values) out.u32(value);
  };
const constant =
  (paddingBytes: number): Write =>
  (out) => {
    out.u8(kind.constant);
    out.u8(0);
    zeros(out, paddingBytes);
  };
const all =
  (...writes: readonly Write[]): Write =>
  (out) => {
    for (const write of writes) write(out);
  };
const bytes =
  (...values: readonly number[]): Write =>
  (out) => {
    for (const value of values) out.u8(value);
  };
/** A struct of one field "a" whose length is what is written. */
const struct =
  (write: Write): Write =>
  (out) => {
    out.u8(kind.struct);
    out.varint(1);
    out.utf8("a");
    const at = out.length;
    out.u32(0);
    write(out);
    out.patchU32(at, out.length - at - 4);
  };
const tagged = (write: Write): Write =>
  all(bytes(kind.tagged), (out) => {
    const at = out.length;
    out.u32(0);
    write(out);
    out.patchU32(at, out.length - at - 4);
  });
const varint =
  (value: number): Write =>
  (out) =>
    out.varint(value);

/** Kinds whose rows need bytes of their own, under a claimed number of rows. */
const kinds = Object.entries(kind);
const claims: readonly (readonly [string, Uint8Array])[] = [
  ["rows", batch(huge, bytes())],
  ["rows, as many as are admitted", batch(maxDecodedRows, bytes())],
  ["rows with timestamps", batch(maxDecodedRows, bytes(), flag.timestamps)],
  ["rows with hashes", batch(maxDecodedRows, bytes(), flag.hashes)],
  ...kinds.map(
    ([name, k]) =>
      [`rows of kind ${name}`, batch(maxDecodedRows, bytes(k, 1, 1, 1, 1, 1))] as const,
  ),
  ...kinds.flatMap(([name, k]) =>
    [huge, maxDecodedRows, maxDecodedRows + 1].map(
      (count) =>
        [
          `${count} items of kind ${name} in a list`,
          batch(1, all(ends(kind.list, count), bytes(k, 1, 1, 1, 1, 1))),
        ] as const,
    ),
  ),
  ["an end of ASCII", batch(1, ends(kind.ascii, huge))],
  ["an end of UTF-16", batch(1, ends(kind.utf16, huge))],
  ["an end of bytes", batch(1, ends(kind.bytes, huge))],
  [
    "an end of UTF-8, with its bytes",
    batch(1, all(bytes(kind.utf8, 1, 0, 0, 0, 0, 0, 0), ends(65, huge))),
  ],
  ["the length of UTF-8", batch(1, bytes(kind.utf8, 255, 255, 255, 255))],
  ["words of a dictionary", batch(1, bytes(kind.dictionary, 0, kind.ascii))],
  ["words of constants in a dictionary", batch(1, bytes(kind.dictionary, 0, kind.constant, 0))],
  ["fields of a struct", batch(1, all(bytes(kind.struct), varint(2 ** 53 - 1)))],
  ["fields of a struct, as many as are admitted", batch(1, all(bytes(kind.struct), varint(512)))],
  ["the name of a field", batch(1, all(bytes(kind.struct, 1), varint(2 ** 53 - 1)))],
  ["the length of a field", batch(1, bytes(kind.struct, 1, 2, 97, 255, 255, 255, 255))],
  ["the length of tagged values", batch(1, bytes(kind.tagged, 255, 255, 255, 255))],
  ["rows of tagged values", batch(maxDecodedRows, tagged(bytes(1)))],
  ["marks of a mask", batch(maxDecodedRows, bytes(kind.mask, 7, 255))],
  ["masks in masks", batch(8, bytes(kind.mask, 1, 0, kind.mask, 1, 0, kind.mask, 1, 0))],
  [
    "structs in structs",
    batch(
      1,
      Array.from({ length: 40 }).reduce<Write>((inner) => struct(inner), bytes()),
    ),
  ],
];

/** By tag: text, bigint, bytes, array, object, object without a prototype, map, set. */
const values = [6, 7, 8, 10, 11, 12, 13, 14].flatMap((tag) =>
  [2 ** 53 - 1, 2 ** 32, 2 ** 31, 200_000_000].map((count) => {
    const out = new ByteWriter(16);
    out.u8(tag);
    out.varint(count);
    out.u8(1);
    return [`${count} in tag ${tag}`, out.finish()] as const;
  }),
);
const State = typeNodeOf(
  t.object({ s: t.string, l: t.array(t.float64), m: t.map(t.object({})), b: t.bytes }),
);

describe("a claim is refused at once, whatever it claims", () => {
  test.each(claims)("BAT-4: %s", (_, claim) => {
    const cost = costOf(() => decodeAll(claim));
    expect(cost.code).toBe("DATA_BAD_BATCH");
    expect(cost.ms).toBeLessThan(limitMs);
    expect(cost.buffers).toBeLessThan(slackBytes);
    expect(cost.heap).toBeLessThan(slackBytes);
  });
  test.each(values)("VAL-1, BAT-4: %s, alone, in a batch, in a state", (_, claim) => {
    for (const decode of [
      () => readValue(new ByteReader(claim)),
      () =>
        decodeAll(
          batch(
            1,
            tagged((out) => out.raw(claim)),
          ),
        ),
      () => valueCodec(State).decode(claim.subarray(1)),
      () => valueCodec(typeNodeOf(t.array(t.object({})))).decode(claim.subarray(1)),
      () => decodeKey(claim),
    ]) {
      const cost = costOf(decode);
      expect(codes).toContain(cost.code);
      expect(cost.ms).toBeLessThan(limitMs);
      expect(cost.buffers).toBeLessThan(slackBytes);
      expect(cost.heap).toBeLessThan(slackBytes);
    }
  });
});

describe("rows of less than a byte each", () => {
  test.each([
    ["8 MB for 64 M nulls in a list", 64 * mb, 8 * mb],
    ["25 MB for 200 M nulls in a list", 200 * mb, 25 * mb],
    ["536 MB's worth of bits, of which one is there", huge, 1],
  ])("COL-1: %s are refused at once", (_, rows, paddingBytes) => {
    const claim = batch(1, all(ends(kind.list, rows), constant(paddingBytes)));
    const cost = costOf(() => decodeAll(claim));
    expect(cost.code).toBe("DATA_BAD_BATCH");
    expect(cost.ms).toBeLessThan(limitMs);
    expect(cost.buffers + cost.heap).toBeLessThan(slackBytes);
  });
  test("COL-1: many columns of as many rows as are admitted are refused together", () => {
    const column = constant(maxDecodedRows / 8);
    const claim = batch(maxDecodedRows, (out) => {
      out.u8(kind.struct);
      out.varint(200);
      for (let i = 0; i < 200; i++) out.utf8(`f${i}`);
      for (let i = 0; i < 200; i++) {
        out.u32(maxDecodedRows / 8 + 2);
        column(out);
      }
    });
    expect(claim.length).toBeGreaterThan(25 * mb);
    const cost = costOf(() => decodeAll(claim));
    expect(cost.code).toBe("DATA_BAD_BATCH");
    expect(cost.ms).toBeLessThan(limitMs);
    expect(cost.buffers + cost.heap).toBeLessThan(16 * mb);
  });
  test("WIR-1: so are 40 M codes of a dictionary, a byte each", () => {
    const word = all(ends(kind.ascii, 0));
    const claim = batch(
      1,
      all(ends(kind.list, 40 * mb), bytes(kind.dictionary, 1), word, (out) => zeros(out, 40 * mb)),
    );
    const cost = costOf(() => decodeAll(claim));
    expect(cost.code).toBe("DATA_BAD_BATCH");
    expect(cost.ms).toBeLessThan(limitMs);
    expect(cost.buffers + cost.heap).toBeLessThan(slackBytes);
  });
  test("SHP-4: one row of ten thousand shapes is made in time, again and again", () => {
    const row = Array.from({ length: 100 }, (_, i) => [
      `g${i}`,
      Object.fromEntries(
        Array.from({ length: 100 }, (_, j) => [`f${j}`, { [`x${i}_${j}`]: null }]),
      ),
    ]);
    const rows = [[Object.fromEntries(row)], [Object.fromEntries(row)]];
    const writer = adaptiveCodec().createWriter({ hashed: false });
    for (let round = 0; round < 3; round++) {
      for (const value of rows) writer.add(value, Number.NaN, 0);
      const sent = writer.take();
      let back: unknown;
      const cost = costOf(() => (back = decodeBatch(sent).values()));
      expect(back).toEqual(rows);
      expect(cost.ms).toBeLessThan(200);
    }
  });
  test("COL-1: what a reader admits is made in time", () => {
    for (const claim of [
      batch(maxDecodedRows, constant(maxDecodedRows / 8)),
      batch(maxDecodedRows / 2, struct(constant(maxDecodedRows / 16))),
      batch(maxDecodedRows / 8, struct(struct(struct(constant(maxDecodedRows / 64))))),
      batch(1, all(ends(kind.list, maxDecodedRows), constant(maxDecodedRows / 8))),
    ]) {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 3; i++) {
        const cost = costOf(() => decodeAll(claim));
        expect(cost.code).toBeUndefined();
        best = Math.min(best, cost.ms);
      }
      expect(best).toBeLessThan(limitMs * 2);
    }
  });
});

describe("a writer stays within what a reader admits", () => {
  const long = maxDecodedRows + 1;
  test.each([
    ["nulls", [Array.from({ length: long }, () => null)]],
    ["numbers", [Array.from({ length: long }, (_, i) => i)]],
    [
      "booleans, in a field",
      [{ a: Array.from({ length: maxDecodedRows }, (_, i) => i % 3 === 0) }],
    ],
    [
      "booleans, in two fields of one row",
      [{ a: new Array<boolean>(600_000).fill(true), b: new Array<boolean>(600_000).fill(false) }],
    ],
    [
      "objects without a field",
      [{ a: Array.from({ length: 600_000 }, () => ({})), b: new Array(600_000).fill(null) }],
    ],
    [
      "booleans, as many as are admitted, and an object beside them",
      [{ a: new Array<boolean>(maxDecodedRows - 1).fill(true), r: { x: 1 } }],
    ],
    ["objects in objects", [[Array.from({ length: 300_000 }, () => ({ a: { b: { c: true } } }))]]],
    ["half of them null", [Array.from({ length: 700_000 }, (_, i) => (i % 2 === 0 ? null : 2))]],
  ] satisfies readonly (readonly [string, readonly unknown[]])[])(
    "BAT-2, COL-1: one row with a long list of %s comes back equal",
    (_, rows) => {
      const writer = adaptiveCodec().createWriter({ hashed: false });
      for (let round = 0; round < 2; round++) {
        for (const row of [...rows, ...rows]) writer.add(row, Number.NaN, 0);
        const back = decodeBatch(writer.take()).values();
        expect(JSON.stringify(back) === JSON.stringify([...rows, ...rows])).toBe(true);
      }
    },
  );
});
