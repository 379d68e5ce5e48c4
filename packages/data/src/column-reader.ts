/**
 * Columns back to values. A column is opened by looking at its kind and extents only; values are made when asked for.
 *
 * COL-1  Nothing is allocated by a claimed number: every extent is checked against the bytes that are there first, rows against
 *        WIR-1 and WIR-2, and lists must not overlap. Damage that shows only in values, and columns that are too many together, are
 *        found when they are asked for (`DATA_BAD_BATCH` as well).
 */
import { ByteReader, readUtf8, readUtf16 } from "./bytes.ts";
import { type Column, NumberColumn, StructColumn, TextColumn, ValuesColumn } from "./columns.ts";
import { fail } from "./fail.ts";
import { absent } from "./plain.ts";
import { newArray } from "./shape.ts";
import { readValue } from "./value.ts";
import {
  ColumnPlace,
  isDense,
  kind,
  maxColumnDepth,
  maxDecodedRows,
  maxStructFields,
  padding,
} from "./wire.ts";

/** Opens the column at the reader's position and leaves the reader after it. */
export function readColumn(input: ByteReader, rows: number, place = ColumnPlace.top()): Column {
  if (place.depth > maxColumnDepth * 2 + 2) throw bad(input.at, "nesting");
  if (rows > maxDecodedRows) throw bad(input.at, "rows");
  const at = input.at;
  switch (input.u8()) {
    case kind.constant:
      takeBitRows(input, rows, place);
      return readConstant(input, rows);
    case kind.boolean:
      takeBitRows(input, rows, place);
      return lazyColumn(input, rows, booleans(input, rows));
    case kind.int32:
      return numberColumn(input, typed(input, Int32Array, rows));
    case kind.float64:
      return numberColumn(input, typed(input, Float64Array, rows));
    case kind.bigint64: {
      const column = typed(input, BigInt64Array, rows);
      return lazyColumn(input, rows, () => Array.from(column));
    }
    case kind.ascii:
      return readAscii(input, rows);
    case kind.utf8:
      return readUtf8Column(input, rows);
    case kind.utf16:
      return readUtf16Column(input, rows);
    case kind.dictionary:
      return readDictionary(input, rows, place);
    case kind.bytes:
      return readBytes(input, rows);
    case kind.list:
      return readLists(input, rows, place);
    case kind.struct:
      return readStruct(input, rows, place);
    case kind.tagged:
      return readTagged(input, rows);
    case kind.mask:
      return readMask(input, rows, place);
    default:
      throw bad(at, "kind");
  }
}

/** WIR-2 */
function takeBitRows(input: ByteReader, rows: number, place: ColumnPlace): void {
  if (!place.tryTake(rows)) throw bad(input.at, "rows of less than a byte");
}

export function bad(at: number, reason: string, cause?: unknown): Error {
  return fail("DATA_BAD_BATCH", {
    fields: { at, reason },
    ...(cause === undefined ? {} : { cause }),
  });
}

type Numbers = Int32Array | Float64Array | Uint32Array | BigInt64Array;
interface NumbersClass<A> {
  new (buffer: ArrayBufferLike, at: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

/** A typed array over the bytes when they are aligned in memory, else over a copy. */
export function typed<A extends Numbers>(
  input: ByteReader,
  Class: NumbersClass<A>,
  rows: number,
): A {
  const size = Class.BYTES_PER_ELEMENT;
  input.take(-input.at & (size - 1));
  const at = input.take(rows * size);
  const { bytes } = input;
  if ((bytes.byteOffset + at) % size === 0)
    return new Class(bytes.buffer, bytes.byteOffset + at, rows);
  return new Class(bytes.slice(at, at + rows * size).buffer, 0, rows);
}

function lazyColumn(input: ByteReader, rows: number, make: () => readonly unknown[]): Column {
  return new ValuesColumn(rows, input.at, make);
}
function numberColumn(input: ByteReader, numbers: Int32Array | Float64Array): Column {
  return new NumberColumn(numbers, input.at);
}

function readConstant(input: ByteReader, rows: number): Column {
  const at = input.at;
  const which = input.u8();
  if (which > 2) throw bad(at, "constant");
  input.take(padding(rows));
  const value = which === 0 ? null : which === 1 ? undefined : absent;
  return new ValuesColumn(
    rows,
    input.at,
    () => newArray(rows).fill(value),
    which === 2 ? "optional" : "other",
  );
}

function booleans(input: ByteReader, rows: number): () => readonly unknown[] {
  const bit = bits(input, rows);
  return () => {
    const values = newArray(rows);
    for (let i = 0; i < rows; i++) values[i] = bit(i);
    return values;
  };
}
function bits(input: ByteReader, rows: number): (row: number) => boolean {
  const { bytes } = input;
  const at = input.take((rows + 7) >>> 3);
  return (row) => ((bytes[at + (row >>> 3)]! >>> (row & 7)) & 1) === 1;
}

const last = (ends: Uint32Array): number => (ends.length === 0 ? 0 : ends[ends.length - 1]!);

function readAscii(input: ByteReader, rows: number): Column {
  const ends = ascending(typed(input, Uint32Array, rows), input.at);
  const from = input.take(last(ends));
  const { at: to, bytes } = input;
  // ASCII is UTF-8 with as many units as bytes; other bytes would show in the length.
  const read = () => guarded(() => readUtf8(bytes, from, to));
  return new TextColumn(ends, to, read, { bytes, from, ends });
}
function readUtf8Column(input: ByteReader, rows: number): Column {
  const length = input.u32();
  const ends = typed(input, Uint32Array, rows);
  const from = input.take(length);
  return new TextColumn(ends, input.at, () =>
    guarded(() => readUtf8(input.bytes, from, from + length)),
  );
}
function readUtf16Column(input: ByteReader, rows: number): Column {
  const ends = typed(input, Uint32Array, rows);
  const from = input.take(last(ends) * 2);
  return new TextColumn(ends, input.at, () => readUtf16(input.bytes, from, from + last(ends) * 2));
}

function readDictionary(input: ByteReader, rows: number, place: ColumnPlace): Column {
  const count = input.u8() || 256;
  const words = readColumn(input, count, place.inner());
  const at = input.take(rows);
  const { bytes } = input;
  return new ValuesColumn(
    rows,
    input.at,
    () => {
      const distinct = words.values();
      const values = newArray(rows);
      for (let i = 0; i < rows; i++) {
        const code = bytes[at + i]!;
        if (code >= count) throw bad(at + i, "dictionary code");
        values[i] = distinct[code];
      }
      return values;
    },
    words.kind === "string" ? "string" : "other",
  );
}

function readBytes(input: ByteReader, rows: number): Column {
  const ends = ascending(typed(input, Uint32Array, rows), input.at);
  const from = input.take(last(ends));
  const { bytes } = input;
  return lazyColumn(input, rows, () => {
    const values = newArray(rows);
    for (let i = 0, start = 0; i < rows; i++)
      values[i] = new Uint8Array(bytes.subarray(from + start, from + (start = ends[i]!)));
    return values;
  });
}

function readLists(input: ByteReader, rows: number, place: ColumnPlace): Column {
  const ends = ascending(typed(input, Uint32Array, rows), input.at);
  const child = readColumn(input, last(ends), place.inner());
  return lazyColumn(input, rows, () => {
    const items = child.values();
    const values = newArray(rows);
    for (let i = 0, start = 0; i < rows; i++) values[i] = items.slice(start, (start = ends[i]!));
    return values;
  });
}

function ascending(ends: Uint32Array, at: number): Uint32Array {
  for (let i = 1; i < ends.length; i++) if (ends[i]! < ends[i - 1]!) throw bad(at, "offsets");
  return ends;
}

function readStruct(input: ByteReader, rows: number, place: ColumnPlace): Column {
  takeBitRows(input, rows, place);
  const start = input.at;
  const count = input.count();
  if (count > maxStructFields) throw bad(start, "fields");
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push(input.utf8());
  if (new Set(names).size !== count) throw bad(start, "field twice");
  if (count === 0) input.take(padding(rows));
  const places: { readonly from: number; readonly to: number }[] = [];
  for (let i = 0; i < count; i++) {
    const length = input.u32();
    const from = input.take(length);
    places.push({ from, to: from + length });
  }
  return new StructColumn(names, { rows, end: input.at }, place, (i) => {
    const { from, to } = places[i]!;
    const column = guarded(() =>
      readColumn(new ByteReader(input.bytes, from, to), rows, place.inner()),
    );
    if (column.end !== to) throw bad(column.end, "column length");
    return column;
  });
}

function readTagged(input: ByteReader, rows: number): Column {
  const length = input.u32();
  const from = input.take(length);
  if (rows > length) throw bad(from, "tagged rows");
  const { bytes } = input;
  return new ValuesColumn(
    rows,
    input.at,
    () =>
      guarded(() => {
        const reader = new ByteReader(bytes, from, from + length);
        const values = newArray(rows);
        for (let i = 0; i < rows; i++) values[i] = readValue(reader, 0);
        if (reader.remaining > 0) throw bad(reader.at, "tagged length");
        return values;
      }),
    "optional",
  );
}

function readMask(input: ByteReader, rows: number, place: ColumnPlace): Column {
  takeBitRows(input, rows, place);
  const at = input.at;
  const which = input.u8();
  if (which === 0 || which > 7) throw bad(at, "mask");
  const inner = (count: number) => {
    if (input.bytes[input.at] === kind.mask) throw bad(input.at, "mask in mask");
    return readColumn(input, count, place.inner());
  };
  const codes = new Uint8Array(Math.min(rows, input.remaining * 8));
  for (const code of [1, 2, 3])
    if ((which & (1 << (code - 1))) !== 0) readMarks(input, codes, rows, code);
  const dense = isDense(input.bytes[input.at] ?? 0);
  let unmasked = 0;
  for (let i = 0; i < rows; i++) if (codes[i] === 0) unmasked++;
  const column = inner(dense ? unmasked : rows);
  return new ValuesColumn(
    rows,
    input.at,
    () => {
      const source = column.values();
      const result = newArray(rows);
      for (let i = 0, next = 0; i < rows; i++) {
        const code = codes[i];
        if (code === 0) result[i] = source[dense ? next++ : i];
        else result[i] = code === 1 ? null : code === 2 ? undefined : absent;
      }
      return result;
    },
    (which & 4) !== 0 ? "optional" : "other",
  );
}

/** Sets `code` where the bitmap has a one. */
function readMarks(input: ByteReader, codes: Uint8Array, rows: number, code: number): void {
  const { bytes } = input;
  const at = input.take((rows + 7) >>> 3);
  for (let i = 0; i < rows; i++)
    if (((bytes[at + (i >>> 3)]! >>> (i & 7)) & 1) === 1) codes[i] = code;
}

/** Damage below a batch is damage of the batch; so is a length that the engine refuses. */
export function guarded<R>(read: () => R): R {
  try {
    return read();
  } catch (error) {
    const code =
      typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    if (code === "DATA_TRUNCATED" || code === "DATA_BAD_VALUE" || error instanceof RangeError)
      throw bad(0, "content", error);
    throw error;
  }
}
