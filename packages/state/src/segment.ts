/**
 * A segment: the changed rows of one operator, sorted by table, key group, key and namespace. Self-describing, checksummed.
 *
 *   "MRSG" u8 version | u32 header bytes, header (JSON) | blocks | u32 crc of everything before
 *   header  { tables: [{ name, type, origin }], blocks: [{ table, from, to, rows, offset, length, compressed, plain, crc }] }
 *   block   rows: varint group · bytes key · f64 a, b, c · u8 present · [value]
 *
 * SEG-1  A reader checks the checksum of each block it reads, and every length against the bytes there are: `STATE_CORRUPT`.
 * SEG-2  Blocks hold whole key groups or parts of one: a reader of a range skips the others.
 */
import {
  ByteReader,
  ByteWriter,
  crc32c,
  decodeKey,
  encodeKey,
  type TypeNode,
  typeFromJson,
  typeToJson,
  valueCodec,
} from "@millrace/data";
import { fail } from "./fail.ts";
import type { Row } from "./table.ts";

export interface TableSchema {
  readonly name: string;
  readonly type: TypeNode;
  readonly origin: "declared" | "stream" | "inferred";
}
export interface BlockCompression {
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array;
}
interface BlockHead {
  readonly table: number;
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly offset: number;
  readonly length: number;
  readonly compressed: boolean;
  /** Bytes after decompression. */
  readonly plain: number;
  readonly crc: number;
}

const magic = 0x4753_524d;
const version = 1;
/** A block is cut when it passes this, so a reader of few key groups reads little. */
const blockBytes = 64 * 1024;
/** No block is larger than its cut plus one row; a claimed size beyond this is damage. */
const maxBlockBytes = 256 * 1024 * 1024;

export interface SegmentRows {
  readonly schema: TableSchema;
  readonly rows: readonly { readonly row: Row; readonly value: Row["value"] }[];
}

export function encodeSegment(
  tables: readonly SegmentRows[],
  compression: BlockCompression | undefined,
): Uint8Array {
  const blocks: BlockHead[] = [];
  const body = new ByteWriter(4_096);
  const block = new ByteWriter(4_096);
  tables.forEach(({ schema, rows }, table) => {
    const codec = valueCodec(schema.type);
    let count = 0;
    let first = 0;
    let last = 0;
    const cut = () => {
      if (count === 0) return;
      const plain = block.finish();
      const packed = compression === undefined ? plain : compression.compress(plain);
      const stored = packed.length < plain.length ? packed : plain;
      blocks.push({
        table,
        from: first,
        to: last + 1,
        rows: count,
        offset: body.length,
        length: stored.length,
        compressed: stored === packed && packed !== plain,
        plain: plain.length,
        crc: crc32c(stored),
      });
      body.raw(stored);
      block.reset();
      count = 0;
    };
    for (const { row, value, key } of sorted(rows)) {
      if (count > 0 && block.length > blockBytes) cut();
      if (count === 0) first = row.group;
      last = row.group;
      block.varint(row.group);
      block.varint(key.length);
      block.raw(key);
      block.f64(row.a);
      block.f64(row.b);
      block.f64(row.c);
      block.u8(value === undefined ? 0 : 1);
      if (value !== undefined) codec.write(block, value.current);
      count += 1;
    }
    cut();
  });
  const header = new TextEncoder().encode(
    JSON.stringify({
      tables: tables.map(({ schema }) => ({
        name: schema.name,
        type: typeToJson(schema.type),
        origin: schema.origin,
      })),
      blocks,
    }),
  );
  const out = new ByteWriter(body.length + header.length + 16);
  out.u32(magic);
  out.u8(version);
  out.u32(header.length);
  out.raw(header);
  out.raw(body.finish());
  out.u32(crc32c(out.finish()));
  return out.finish();
}

export interface SegmentRow {
  readonly table: string;
  readonly group: number;
  readonly key: unknown;
  readonly namespace: readonly [number, number, number];
  readonly value: { readonly current: unknown } | undefined;
}

/** The rows of key groups [from, to), in order. Throws `STATE_CORRUPT`. */
export function* readSegment(
  bytes: Uint8Array,
  range: { readonly from: number; readonly to: number },
  compression: BlockCompression | undefined,
): Generator<SegmentRow> {
  const { tables, blocks, bodyAt } = readHeader(bytes);
  for (const block of blocks) {
    if (block.to <= range.from || block.from >= range.to) continue;
    const table = tables[block.table];
    const at = bodyAt + block.offset;
    if (table === undefined || !(block.length >= 0) || at + block.length > bytes.length - 4)
      throw corrupt("block outside the segment");
    const stored = bytes.subarray(at, at + block.length);
    if (crc32c(stored) !== block.crc) throw corrupt("block checksum");
    if (block.compressed && (compression === undefined || !(block.plain <= maxBlockBytes)))
      throw corrupt("compressed block can't be read");
    const input = new ByteReader(
      block.compressed && compression !== undefined
        ? compression.decompress(stored, block.plain)
        : stored,
    );
    const codec = valueCodec(table.type);
    for (let i = 0; i < block.rows; i++) {
      const group = input.varint();
      const key = decodeKey(input.byteString());
      const namespace = [input.f64(), input.f64(), input.f64()] as const;
      const value = input.u8() === 1 ? { current: codec.read(input) } : undefined;
      if (group >= range.from && group < range.to)
        yield { table: table.name, group, key, namespace, value };
    }
  }
}

export function readHeader(bytes: Uint8Array): {
  readonly tables: readonly TableSchema[];
  readonly blocks: readonly BlockHead[];
  readonly bodyAt: number;
} {
  if (bytes.length < 13) throw corrupt("too short");
  const input = new ByteReader(bytes);
  if (input.u32() !== magic) throw corrupt("not a segment");
  if (input.u8() !== version) throw corrupt("unknown version");
  const length = input.u32();
  if (length > input.remaining) throw corrupt("header");
  const tail = new ByteReader(bytes, bytes.length - 4);
  if (crc32c(bytes.subarray(0, bytes.length - 4)) !== tail.u32()) throw corrupt("checksum");
  try {
    const header = JSON.parse(new TextDecoder().decode(input.raw(length))) as {
      readonly tables: readonly { name: string; type: unknown; origin: TableSchema["origin"] }[];
      readonly blocks: readonly BlockHead[];
    };
    return {
      tables: header.tables.map((table) => ({ ...table, type: typeFromJson(table.type) })),
      blocks: header.blocks,
      bodyAt: input.at,
    };
  } catch (error) {
    throw fail("STATE_CORRUPT", { fields: { reason: "header" }, cause: error });
  }
}

function sorted(
  rows: SegmentRows["rows"],
): readonly { readonly row: Row; readonly value: Row["value"]; readonly key: Uint8Array }[] {
  return rows
    .map(({ row, value }) => ({ row, value, key: encodeKey(row.key) }))
    .sort(
      (x, y) =>
        x.row.group - y.row.group ||
        compareBytes(x.key, y.key) ||
        x.row.a - y.row.a ||
        x.row.b - y.row.b ||
        x.row.c - y.row.c,
    );
}
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const d = (a[i] ?? 0) - (b[i] ?? 0);
    if (d !== 0) return d;
  }
  return a.length - b.length;
}
function corrupt(reason: string): Error {
  return fail("STATE_CORRUPT", { fields: { reason } });
}
