import { zstd } from "@millrace/base/node";
import { crc32c, decodeKey, hashKey, keyGroupOf } from "@millrace/data";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelledBackend, maxParallelism } from "./backend-model.fixture.ts";
import { buildSegment } from "./build-segment.ts";
import golden from "./golden-segment.json" with { type: "json" };
import {
  type BlockCompression,
  codecsOf,
  decodeRow,
  type KeyGroups,
  openSegment,
  RowReader,
  readBlocks,
  rowsOf,
} from "./segment.ts";

const all: KeyGroups = { from: 0, to: maxParallelism };
const declaration = { name: "counts", origin: "inferred", type: { kind: "unknown" } } as const;

async function segmentOf(
  fill: (backend: ModelledBackend) => void,
  compression?: BlockCompression,
): Promise<Uint8Array> {
  const source = await ModelledBackend.open([declaration]);
  fill(source);
  source.backend.beginSnapshot({ checkpointId: 1, base: undefined });
  const [captured] = source.backend.takeSnapshot().parts;
  return buildSegment({ captured: captured ?? [], older: [] }, compression).bytes;
}
function read(bytes: Uint8Array, groups = all, compression?: BlockCompression): readonly string[] {
  const segment = openSegment(bytes);
  const codecs = codecsOf(segment);
  return segment.tables.flatMap(({ name }, table) =>
    [...rowsOf(segment, table, groups, compression)].map((row) => {
      const { key, value } = decodeRow(row, codecs[table]!);
      return `${name} ${row.group} ${JSON.stringify(key)} ${row.namespace} ${JSON.stringify(value?.current)}`;
    }),
  );
}
function fill(backend: ModelledBackend): void {
  for (const [i, key] of ["b", "a", 7, "ü", true].entries())
    backend.put(key, 0, i % 2, { n: i, of: `row ${i}` });
}
function many(backend: ModelledBackend): void {
  for (let i = 0; i < 20_000; i++)
    backend.put(`key-${i}`, 0, 0, { n: i, text: `this is row ${i} of many` });
}
/** The same, read as a restore does. */
function readInPlace(bytes: Uint8Array, groups: KeyGroups, compression?: BlockCompression) {
  const segment = openSegment(bytes);
  const codecs = codecsOf(segment);
  return segment.tables.flatMap(({ name }, table) => {
    const rows = new RowReader(segment, table, groups, compression);
    const seen: string[] = [];
    while (rows.next()) {
      const { key: decoded, a, b, c, deleted } = rows;
      const key = decoded ?? decodeKey(rows.bytes.subarray(rows.keyFrom, rows.keyTo));
      const group = keyGroupOf(hashKey(key), maxParallelism);
      const value = deleted ? undefined : rows.value(codecs[table]!);
      seen.push(`${name} ${group} ${JSON.stringify(key)} ${[a, b, c]} ${JSON.stringify(value)}`);
    }
    return seen;
  });
}

describe("a segment", () => {
  test.each([
    ["as they are", undefined],
    ["packed", zstd],
  ])("gives the same rows, %s, to a reader in place", async (_how, compression) => {
    const bytes = await segmentOf((backend) => {
      fill(backend);
      many(backend);
      backend.put("a", 0, 7, { n: 1, of: "another" });
      backend.put([1, "x"], 0, 7, { n: 1, of: "of a pair" });
    }, compression);
    for (const groups of [
      all,
      { from: 1, to: 3 },
      { from: maxParallelism - 1, to: maxParallelism },
    ]) {
      const rows = read(bytes, groups, compression);
      expect(rows.length).toBeGreaterThan(0);
      expect(readInPlace(bytes, groups, compression)).toEqual(rows);
    }
  });

  test("holds its rows by key group, key and namespace", async () => {
    const rows = read(await segmentOf(fill));
    expect(rows).toHaveLength(5);
    const groups = rows.map((row) => Number(row.split(" ")[1]));
    expect(groups).toEqual([...groups].sort((a, b) => a - b));
    expect(rows.find((row) => row.includes('"a"'))).toBe(
      `counts ${keyGroupOf(hashKey("a"), maxParallelism)} "a" 1,0,0 {"n":1,"of":"row 1"}`,
    );
  });

  test("is what it was: the format is frozen", async () => {
    const bytes = await segmentOf(fill);
    expect(toHex(bytes)).toBe(golden.bytes);
    expect(read(fromHex(golden.bytes))).toEqual(golden.rows);
  });

  test("SEG-2: of a large one only the header and the blocks of the wanted key groups are read", async () => {
    const bytes = await segmentOf(many);
    expect(bytes.length).toBeGreaterThan(512 * 1024);
    const groups = { from: 4, to: 6 };
    let got = 0;
    const segment = await readBlocks(bytes.length, groups, async (from, to) => {
      got += to - from;
      return bytes.slice(from, to);
    });
    const rows = [...rowsOf(segment, 0, groups, undefined)];
    expect(rows).toEqual([...rowsOf(openSegment(bytes), 0, groups, undefined)]);
    expect(rows.length).toBeGreaterThan(1_000);
    expect(got).toBeLessThan(bytes.length / 3);
  });

  test("a compressed block is refused without what it was compressed with", async () => {
    const bytes = await segmentOf(many, zstd);
    expect(bytes.length).toBeLessThan((await segmentOf(many)).length);
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: "STATE_CORRUPT" }));
  });
});

describe("SEG-1: damage is STATE_CORRUPT, never another error, a hang or a row that was not there", () => {
  test("any byte changed, any end cut off", async () => {
    const bytes = await segmentOf(fill);
    const good = read(bytes);
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (at, flip, cut) => {
          const damaged = cut ? bytes.slice(0, at) : bytes.slice();
          if (!cut) damaged[at] = damaged[at]! ^ flip;
          let rows: readonly string[];
          try {
            rows = read(damaged);
          } catch (error) {
            expect(error).toMatchObject({ code: "STATE_CORRUPT" });
            return;
          }
          expect(rows).toEqual(good);
        },
      ),
      { numRuns: 2_000, seed: 5 },
    );
  });

  test("random bytes behind a good start, and a header that claims what is not there", async () => {
    const bytes = await segmentOf(fill);
    const rewritten = (
      change: (header: { blocks: Record<string, unknown>[]; tables: unknown }) => void,
    ) => {
      const view = new DataView(bytes.buffer);
      const length = view.getUint32(5, true);
      const header = JSON.parse(new TextDecoder().decode(bytes.slice(9, 9 + length)));
      change(header);
      return withHeader(header, bytes.slice(9 + length + 4));
    };
    const claims: Parameters<typeof rewritten>[0][] = [
      (h) => Object.assign(h.blocks[0]!, { rows: 2 ** 40 }),
      (h) => Object.assign(h.blocks[0]!, { length: 2 ** 40 }),
      (h) => Object.assign(h.blocks[0]!, { offset: -1 }),
      (h) => Object.assign(h.blocks[0]!, { table: 9 }),
      (h) => Object.assign(h.blocks[0]!, { compressed: true, plain: 2 ** 45 }),
      (h) => Object.assign(h.blocks[0]!, { rows: 1 }),
      (h) => Object.assign(h, { tables: [{ name: "x", type: "nonsense", origin: "declared" }] }),
      (h) => Object.assign(h, { blocks: 5 }),
    ];
    for (const claim of claims)
      expect(() => read(rewritten(claim)), String(claim)).toThrow(
        expect.objectContaining({ code: "STATE_CORRUPT" }),
      );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(() => read(noise)).toThrow(expect.objectContaining({ code: "STATE_CORRUPT" }));
      }),
      { seed: 5 },
    );
  });
});

function withHeader(header: unknown, body: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(9 + json.length + 4 + body.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0x4753_524d, true);
  out[4] = 1;
  view.setUint32(5, json.length, true);
  out.set(json, 9);
  view.setUint32(9 + json.length, crc32c(json), true);
  out.set(body, 9 + json.length + 4);
  return out;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
