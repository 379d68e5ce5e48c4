/**
 * A segment: changed rows of one operator, sorted by table, key group, key and namespace. Self-describing, checksummed.
 *
 *   "MRSG" u8 version | u32 header bytes, header (JSON), u32 crc of the header | blocks
 *   header  { tables: [{ name, type, origin }], blocks: [{ table, from, to, rows, offset, length, compressed, plain, crc }] }
 *   block   rows: varint group · varint key bytes, key · f64 a, b, c · varint 0 (deleted) or 1 + value bytes, value
 *
 * SEG-1  A reader checks the checksum of all it reads, and every length against the bytes there are: `STATE_CORRUPT`.
 * SEG-2  A reader of a range of key groups reads the header and the blocks that touch the range, nothing else.
 * SEG-3  A row is in a segment once. Of two segments the one of the higher level counts.
 * SEG-4  What is packed unpacks to `maxPackedBytes` at most, and to what its head says: a larger row is stored as it is. Blocks lie
 *        one behind the other, so that each byte stored is unpacked once.
 */
import {
  ByteReader,
  ByteWriter,
  crc32c,
  decodeKey,
  stringTag,
  typeFromJson,
  typeToJson,
  type ValueCodec,
  valueCodec,
} from "@millrace/data";
import type { TableSchema } from "./capture.ts";
import { fail } from "./fail.ts";

export interface BlockCompression {
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array;
}
/** Key groups [from, to). */
export interface KeyGroups {
  readonly from: number;
  readonly to: number;
}
interface BlockHead extends KeyGroups {
  readonly table: number;
  readonly rows: number;
  /** In the body, which follows the header. */
  readonly offset: number;
  readonly length: number;
  readonly compressed: boolean;
  /** Bytes after decompression. */
  readonly plain: number;
  readonly crc: number;
}

const magic = 0x4753_524d;
const version = 1;
/** Before the header: magic, version, length. */
const preamble = 9;
/** A block is cut when it passes this, so a reader of few key groups reads little. */
const blockBytes = 64 * 1024;
/** A block is its cut plus one row, which may be of any size: one larger than this is not packed, and a claim of more is damage. */
const maxPackedBytes = 16 * 1024 * 1024;
/** Group, length of the key, namespace, length of the value: a byte, a byte, 24, a byte. */
const minRowBytes = 27;
/** A segment up to this size is read at once; of a larger one the header first. */
const smallSegment = 256 * 1024;
const headerGuess = 64 * 1024;

// ── writing ──────────────────────────────────────────────────────────────────────────────────

/** Takes sorted rows, table by table, and cuts them into blocks. */
export class SegmentWriter {
  readonly #compression: BlockCompression | undefined;
  readonly #tables: TableSchema[] = [];
  readonly #blocks: BlockHead[] = [];
  /** Finished blocks. */
  readonly #body: Uint8Array[] = [];
  #bodyBytes = 0;
  #block = new Uint8Array(4_096);
  #view = new DataView(this.#block.buffer);
  #blockEnd = 0;
  #count = 0;
  #first = 0;
  #last = 0;
  rows = 0;

  constructor(compression: BlockCompression | undefined) {
    this.#compression = compression;
  }
  table(schema: TableSchema): void {
    this.#cut();
    this.#tables.push(schema);
  }
  /** Bytes [from, to) of the view. */
  row(
    view: DataView,
    { from, to, group }: { readonly from: number; readonly to: number; readonly group: number },
  ): void {
    if (this.#blockEnd > blockBytes) this.#cut();
    if (this.#count === 0) this.#first = group;
    this.#last = group;
    this.#room(to - from);
    this.#blockEnd = copyBytes(view, { from, to }, this.#view, this.#blockEnd);
    this.#count += 1;
    this.rows += 1;
  }
  finish(): Uint8Array<ArrayBuffer> {
    this.#cut();
    const header = new TextEncoder().encode(
      JSON.stringify({
        tables: this.#tables.map(({ name, type, origin }) => ({
          name,
          type: typeToJson(type),
          origin,
        })),
        blocks: this.#blocks,
      }),
    );
    const out = new ByteWriter(preamble + header.length + 4);
    out.u32(magic);
    out.u8(version);
    out.u32(header.length);
    out.raw(header);
    out.u32(crc32c(header));
    const bytes = new Uint8Array(out.length + this.#bodyBytes);
    bytes.set(out.buffer.subarray(0, out.length));
    let at = out.length;
    for (const block of this.#body) {
      bytes.set(block, at);
      at += block.length;
    }
    return bytes;
  }
  #room(bytes: number): void {
    const wanted = this.#blockEnd + bytes;
    if (wanted <= this.#block.length) return;
    const block = new Uint8Array(Math.max(wanted, 2 * this.#block.length));
    block.set(this.#block.subarray(0, this.#blockEnd));
    this.#block = block;
    this.#view = new DataView(block.buffer);
  }
  #cut(): void {
    if (this.#count === 0) return;
    const plain = this.#block.subarray(0, this.#blockEnd);
    const packed = plain.length > maxPackedBytes ? undefined : this.#compression?.compress(plain);
    const stored = packed !== undefined && packed.length < plain.length ? packed : plain.slice();
    this.#blocks.push({
      table: this.#tables.length - 1,
      from: this.#first,
      to: this.#last + 1,
      rows: this.#count,
      offset: this.#bodyBytes,
      length: stored.length,
      compressed: stored === packed,
      plain: plain.length,
      crc: crc32c(stored),
    });
    this.#body.push(stored);
    this.#bodyBytes += stored.length;
    this.#blockEnd = 0;
    this.#count = 0;
  }
}

/** Eight bytes at a time, as integers: numbers would not keep every NaN. Answers where it ended. */
function copyBytes(
  source: DataView,
  { from, to }: { readonly from: number; readonly to: number },
  target: DataView,
  at: number,
): number {
  let i = from;
  let end = at;
  for (; i + 8 <= to; i += 8, end += 8) target.setBigInt64(end, source.getBigInt64(i, true), true);
  for (; i < to; i++, end++) target.setUint8(end, source.getUint8(i));
  return end;
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

/** A segment's header and those of its blocks that have been read. */
export interface OpenSegment {
  readonly tables: readonly TableSchema[];
  readonly blocks: readonly { readonly head: BlockHead; readonly stored: Uint8Array }[];
}
export interface SegmentRow {
  readonly group: number;
  readonly key: Uint8Array;
  readonly namespace: readonly [number, number, number];
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined;
  /** The row as it is in the block. */
  readonly bytes: Uint8Array;
}

/** A whole segment in memory. Throws `STATE_CORRUPT`. */
export function openSegment(bytes: Uint8Array): OpenSegment {
  const { tables, blocks, bodyAt } = readHeader(bytes);
  return {
    tables,
    blocks: blocks.map((head) => ({
      head,
      stored: slice(bytes, bodyAt + head.offset, head.length),
    })),
  };
}

/** The part of a stored segment that holds the key groups. `read` gives bytes [from, to) of the segment. Throws `STATE_CORRUPT`. */
export async function readBlocks(
  length: number,
  groups: KeyGroups,
  read: (from: number, to: number) => Promise<Uint8Array>,
): Promise<OpenSegment> {
  if (length <= smallSegment) return openSegment(await read(0, length));
  let start = await read(0, Math.min(length, headerGuess));
  const headerEnd = preamble + headerLength(start) + 4;
  if (headerEnd > length) throw corrupt("header");
  if (headerEnd > start.length) start = await read(0, headerEnd);
  const { tables, blocks, bodyAt } = readHeader(start);
  const wanted = blocks.filter((block) => block.to > groups.from && block.from < groups.to);
  // Blocks lie in the order of tables: what is wanted is one run of bytes per table.
  const runs = Map.groupBy(wanted, (block) => block.table);
  const parts = [...runs.values()].map(async (heads) => {
    const from = Math.min(...heads.map((head) => head.offset));
    const to = Math.max(...heads.map((head) => head.offset + head.length));
    if (bodyAt + to > length) throw corrupt("block outside the segment");
    const bytes = await read(bodyAt + from, bodyAt + to);
    return heads.map((head) => ({ head, stored: slice(bytes, head.offset - from, head.length) }));
  });
  return { tables, blocks: (await Promise.all(parts)).flat() };
}

/** Rows of one table in these key groups, in order. Throws `STATE_CORRUPT`. */
export function* rowsOf(
  segment: OpenSegment,
  table: number,
  groups: KeyGroups,
  compression: BlockCompression | undefined,
): Generator<SegmentRow> {
  for (const { head, stored } of segment.blocks) {
    if (head.table !== table || head.to <= groups.from || head.from >= groups.to) continue;
    const plain = plainBlock(head, stored, compression);
    const input = new ByteReader(plain);
    for (let i = 0; i < head.rows; i++) {
      const row = guarded(() => readRow(input));
      if (row.group < head.from || row.group >= head.to) throw corrupt("group outside its block");
      if (row.group >= groups.from && row.group < groups.to) yield row;
    }
    if (input.remaining > 0) throw corrupt("bytes left over in a block");
  }
}

/**
 * Rows of one table in these key groups, in order, read where they lie: what is shown of a row holds until the next one. A restore reads
 * millions, and keeps none of them as it is.
 */
export class RowReader {
  readonly #blocks: OpenSegment["blocks"];
  readonly #groups: KeyGroups;
  readonly #compression: BlockCompression | undefined;
  #next = 0;
  #head: BlockHead | undefined;
  #input = new ByteReader(new Uint8Array(0));
  #left = 0;
  /** The key; undefined when it is a string of ASCII, whose canonical bytes are [keyFrom, keyTo) of `bytes`. */
  key: unknown;
  bytes: Uint8Array = new Uint8Array(0);
  keyFrom = 0;
  keyTo = 0;
  a = 0;
  b = 0;
  c = 0;
  deleted = false;
  #valueFrom = 0;

  constructor(
    segment: OpenSegment,
    table: number,
    groups: KeyGroups,
    compression: BlockCompression | undefined,
  ) {
    this.#blocks = segment.blocks.filter(
      ({ head }) => head.table === table && head.to > groups.from && head.from < groups.to,
    );
    this.#groups = groups;
    this.#compression = compression;
  }
  /** False at the end. Throws `STATE_CORRUPT`. */
  next(): boolean {
    for (;;) {
      if (this.#left === 0 && !this.#open()) return false;
      this.#left -= 1;
      const group = this.#read();
      if (group >= this.#groups.from && group < this.#groups.to) return true;
    }
  }
  /** Of a row that is not deleted. Throws `STATE_CORRUPT`. */
  value(codec: ValueCodec): unknown {
    const input = this.#input;
    const end = input.at;
    input.at = this.#valueFrom;
    let value: unknown;
    try {
      value = codec.read(input);
    } catch (error) {
      throw unreadable(error);
    }
    if (input.at !== end) throw corrupt("value size");
    return value;
  }
  #open(): boolean {
    if (this.#input.remaining > 0) throw corrupt("bytes left over in a block");
    const block = this.#blocks[this.#next++];
    if (block === undefined) return false;
    this.bytes = plainBlock(block.head, block.stored, this.#compression);
    this.#input = new ByteReader(this.bytes);
    this.#head = block.head;
    this.#left = block.head.rows;
    return true;
  }
  #read(): number {
    const input = this.#input;
    let group = -1;
    try {
      group = input.varint();
      const length = input.varint();
      this.keyFrom = input.take(length);
      this.keyTo = input.at;
      this.key = isAsciiKey(this.bytes, this.keyFrom, this.keyTo)
        ? undefined
        : decodeKey(this.bytes.subarray(this.keyFrom, this.keyTo));
      this.a = input.f64();
      this.b = input.f64();
      this.c = input.f64();
      const size = input.varint();
      this.deleted = size === 0;
      this.#valueFrom = input.at;
      if (size > 0) input.take(size - 1);
    } catch (error) {
      throw unreadable(error);
    }
    const { from = 0, to = 0 } = this.#head ?? {};
    if (group < from || group >= to) throw corrupt("group outside its block");
    return group;
  }
}

/** Throws `STATE_CORRUPT`. */
export function decodeRow(
  row: SegmentRow,
  codec: ValueCodec,
): { readonly key: unknown; readonly value: { readonly current: unknown } | undefined } {
  return guarded(() => ({
    key: decodeKey(row.key),
    value: row.value === undefined ? undefined : { current: codec.decode(row.value) },
  }));
}

export function codecsOf(segment: OpenSegment): readonly ValueCodec[] {
  return segment.tables.map(({ type }) => valueCodec(type));
}

function readRow(input: ByteReader): SegmentRow {
  const start = input.at;
  const group = input.varint();
  const key = input.byteString();
  const namespace = [input.f64(), input.f64(), input.f64()] as const;
  const size = input.varint();
  const value = size === 0 ? undefined : input.raw(size - 1);
  return { group, key, namespace, value, bytes: input.bytes.subarray(start, input.at) };
}

function isAsciiKey(bytes: Uint8Array, from: number, to: number): boolean {
  let all = 0;
  for (let i = from; i < to; i++) all |= bytes[i]!;
  return all < 128 && bytes[to - 1] === stringTag;
}

function plainBlock(
  head: BlockHead,
  stored: Uint8Array,
  compression: BlockCompression | undefined,
): Uint8Array {
  if (crc32c(stored) !== head.crc) throw corrupt("block checksum");
  if (!head.compressed) return stored;
  if (compression === undefined) throw corrupt("compressed block can't be read");
  const plain = guarded(() => compression.decompress(stored, head.plain));
  if (plain.length !== head.plain) throw corrupt("block size");
  return plain;
}

function headerLength(bytes: Uint8Array): number {
  if (bytes.length < preamble) throw corrupt("too short");
  const input = new ByteReader(bytes);
  if (input.u32() !== magic) throw corrupt("not a segment");
  if (input.u8() !== version) throw corrupt("unknown version");
  return input.u32();
}

function readHeader(bytes: Uint8Array): {
  readonly tables: readonly TableSchema[];
  readonly blocks: readonly BlockHead[];
  readonly bodyAt: number;
} {
  const length = headerLength(bytes);
  const json = slice(bytes, preamble, length);
  const crc = new ByteReader(slice(bytes, preamble + length, 4)).u32();
  if (crc32c(json) !== crc) throw corrupt("header checksum");
  return guarded(() => {
    const header = JSON.parse(new TextDecoder().decode(json)) as {
      readonly tables: readonly { name: string; type: unknown; origin: TableSchema["origin"] }[];
      readonly blocks: readonly BlockHead[];
    };
    const tables = header.tables.map((table) => ({ ...table, type: typeFromJson(table.type) }));
    if (!tables.every(isTable)) throw corrupt("table");
    let offset = 0;
    for (const block of header.blocks) {
      if (!isBlockHead(block, tables.length) || block.offset !== offset)
        throw corrupt("block head");
      offset += block.length;
    }
    return { tables, blocks: header.blocks, bodyAt: preamble + length + 4 };
  });
}

const origins: readonly unknown[] = ["declared", "stream", "inferred"];
function isTable({ name, origin }: { readonly name: unknown; readonly origin: unknown }): boolean {
  return typeof name === "string" && origins.includes(origin);
}
function isBlockHead(head: BlockHead, tables: number): boolean {
  const { table, from, to, rows, offset, length, compressed, plain, crc } = head;
  return (
    [table, from, to, rows, offset, length, plain, crc].every(isCount) &&
    table < tables &&
    from < to &&
    rows * minRowBytes <= plain &&
    (compressed === true ? plain <= maxPackedBytes : compressed === false && plain === length)
  );
}
function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
function slice(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.length) throw corrupt("bytes missing");
  return bytes.subarray(at, at + length);
}
/** What damaged bytes make a decoder throw is damage. */
function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(error);
  }
}
function unreadable(cause: unknown): Error {
  return fail("STATE_CORRUPT", { fields: { reason: "unreadable" }, cause });
}
function corrupt(reason: string): Error {
  return fail("STATE_CORRUPT", { fields: { reason } });
}
