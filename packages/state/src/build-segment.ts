/**
 * Makes a segment of captured rows, and of older segments that it replaces. Pure, and large work: it runs off the slot's thread where
 * there is another.
 *
 * BLD-1  Of several rows with one key and namespace the newest stays: captured rows, then segments from the newest to the oldest.
 * BLD-2  A tombstone stays: an older segment that is not merged may hold its row.
 */
import { ByteWriter, crc32c, typeToJson, valueCodec } from "@millrace/data";
import type { RowRun, TableSchema } from "./capture.ts";
import { IntList } from "./int-list.ts";
import {
  type BlockCompression,
  codecsOf,
  decodeRow,
  type KeyGroups,
  type OpenSegment,
  openSegment,
  rowsOf,
  SegmentWriter,
} from "./segment.ts";
import { sortRows } from "./sort-rows.ts";

export interface CapturedTable {
  readonly schema: TableSchema;
  /** In which no row is twice. */
  readonly runs: readonly RowRun[];
}
/** Plain data: it may go to another thread. */
export interface SegmentTask {
  readonly captured: readonly CapturedTable[];
  /** Segments to merge, oldest first, each with the key groups that count. */
  readonly older: readonly { readonly bytes: Uint8Array; readonly groups: KeyGroups }[];
}
export interface BuiltSegment {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  /** CRC32C of the bytes. */
  readonly crc: number;
}
/** Builds and stores segments here or elsewhere. */
export interface SegmentBuilder {
  /** Rejects with `STATE_CORRUPT` when an older segment can't be read. */
  build(task: SegmentTask): Promise<BuiltSegment>;
  /** Stores segments, one behind the other, as one object. Their bytes are given away. */
  upload(key: string, segments: readonly Uint8Array<ArrayBuffer>[]): Promise<void>;
}

/** Builds on the caller's thread. */
export function inlineSegmentBuilder(
  compression: BlockCompression | undefined,
  objects: { put(key: string, bytes: Uint8Array): Promise<unknown> },
): SegmentBuilder {
  return {
    build: async (task) => buildSegment(task, compression),
    upload: async (key, segments) => void (await objects.put(key, joinSegments(segments))),
  };
}

export function joinSegments(segments: readonly Uint8Array[]): Uint8Array {
  const [only] = segments;
  if (only !== undefined && segments.length === 1) return only;
  const object = new Uint8Array(segments.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const segment of segments) {
    object.set(segment, offset);
    offset += segment.length;
  }
  return object;
}

export function buildSegment(
  task: SegmentTask,
  compression: BlockCompression | undefined,
): BuiltSegment {
  const writer = new SegmentWriter(compression);
  const older = task.older.map(({ bytes, groups }) => ({ segment: openSegment(bytes), groups }));
  const schemas = new Map<string, TableSchema>();
  for (const { segment } of older)
    for (const schema of segment.tables) schemas.set(schema.name, schema);
  for (const { schema } of task.captured) schemas.set(schema.name, schema);
  for (const schema of schemas.values()) {
    const captured = task.captured.find((table) => table.schema.name === schema.name)?.runs;
    const runs = older.map(({ segment, groups }) => runOf(segment, schema, groups, compression));
    writeSorted(writer, schema, [...runs, ...(captured ?? [])]);
  }
  const bytes = writer.finish();
  return { bytes, rows: writer.rows, crc: crc32c(bytes) };
}

/** Rows of a table in a segment as a run, with values of the newest schema. */
function runOf(
  segment: OpenSegment,
  schema: TableSchema,
  groups: KeyGroups,
  compression: BlockCompression | undefined,
): RowRun {
  const out = new ByteWriter(4_096);
  const rows = new IntList();
  const table = segment.tables.findIndex(({ name }) => name === schema.name);
  const codec = codecsOf(segment)[table];
  const old = segment.tables[table];
  const same =
    old !== undefined &&
    JSON.stringify(typeToJson(old.type)) === JSON.stringify(typeToJson(schema.type));
  const wanted = valueCodec(schema.type);
  for (const row of table < 0 ? [] : rowsOf(segment, table, groups, compression)) {
    const start = out.length;
    out.varint(row.group);
    out.varint(row.key.length);
    const keyAt = out.length;
    out.raw(row.key);
    for (const part of row.namespace) out.f64(part);
    if (row.value === undefined) out.varint(0);
    else {
      const value =
        same || codec === undefined
          ? row.value
          : wanted.encode(decodeRow(row, codec).value?.current);
      out.varint(value.length + 1);
      out.raw(value);
    }
    for (const field of [start, out.length, row.group, keyAt, keyAt + row.key.length])
      rows.push(field);
  }
  return { bytes: out.buffer.subarray(0, out.length), rows: rows.items };
}

function writeSorted(writer: SegmentWriter, schema: TableSchema, runs: readonly RowRun[]): void {
  const { count, order, run, at, same } = sortRows(runs);
  if (count === 0) return;
  writer.table(schema);
  const views = runs.map(
    ({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  );
  for (let i = 0; i < count; i++) {
    const row = order[i]!;
    if (i > 0 && same(order[i - 1]!, row)) continue;
    const { rows } = runs[run[row]!]!;
    const place = at[row]!;
    writer.row(views[run[row]!]!, {
      from: rows[place]!,
      to: rows[place + 1]!,
      group: rows[place + 2]!,
    });
  }
}
