/**
 * Arrays of values to columns. Looks at the values once to find the narrowest column that gives them back exactly; what is
 * irregular, or more than a reader takes in such a column (WIR-1, WIR-2), becomes a tagged column. Layout: wire.ts.
 */
import type { ByteWriter } from "./bytes.ts";
import { absent, plainness, withPath } from "./plain.ts";
import { reserve, writeTexts } from "./text-column.ts";
import { writeValue } from "./value.ts";
import {
  type ColumnPlace,
  isDense,
  kind,
  maxColumnDepth,
  maxDecodedRows,
  maxStructFields,
  padding,
} from "./wire.ts";

/** Bits of what occurs in a column. */
const seen = {
  number: 1,
  string: 2,
  boolean: 4,
  bigint: 8,
  object: 16,
  array: 32,
  bytes: 64,
  other: 128,
  null: 256,
  undefined: 512,
  absent: 1024,
} as const;
const masked = seen.null | seen.undefined | seen.absent;
const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

export function writeColumn(
  out: ByteWriter,
  values: readonly unknown[],
  rows: number,
  place: ColumnPlace,
): void {
  const what = survey(values, rows);
  const plain = what & ~masked;
  if (plain === 0 && (what === seen.null || what === seen.undefined || what === seen.absent)) {
    if (!place.tryTake(rows)) return writeTagged(out, values, rows);
    out.u8(kind.constant);
    out.u8(what === seen.null ? 0 : what === seen.undefined ? 1 : 2);
    return pad(out, padding(rows));
  }
  const k = chooseKind(plain, values, rows, place.depth);
  let inner = values;
  let count = rows;
  const mask = (what & masked) !== 0;
  if (mask && isDense(k)) {
    inner = values.slice(0, rows).filter((v) => v !== null && v !== undefined && v !== absent);
    count = inner.length;
  }
  const bitRows = (mask ? rows : 0) + (k === kind.boolean || k === kind.struct ? count : 0);
  if (k === kind.tagged || !place.tryTake(bitRows)) return writeTagged(out, values, rows);
  if (mask) writeMask(out, values, rows, what);
  switch (k) {
    case kind.boolean:
      out.u8(k);
      return writeBits(out, inner, count, true);
    case kind.float64:
      return writeNumbers(out, inner, count);
    case kind.ascii:
      return writeStrings(out, inner, count);
    case kind.bigint64:
      return writeBigints(out, inner as readonly bigint[], count);
    case kind.bytes:
      return writeBytes(out, inner as readonly Uint8Array[], count);
    case kind.list:
      return writeLists(out, inner as readonly (readonly unknown[])[], count, place);
    default:
      return writeObjects(out, inner as readonly object[], count, place);
  }
}

/** A column of numbers only: int32 when all are, else float64. */
export function writeFloats(out: ByteWriter, numbers: Float64Array, rows: number): void {
  let small = true;
  for (let i = 0; i < rows; i++) {
    const v = numbers[i]!;
    if ((v | 0) !== v || (v === 0 && 1 / v < 0)) {
      small = false;
      break;
    }
  }
  if (small) {
    out.u8(kind.int32);
    const at = reserve(out, 4, rows * 4);
    new Int32Array(out.buffer.buffer, at, rows).set(numbers.subarray(0, rows));
  } else {
    out.u8(kind.float64);
    const at = reserve(out, 8, rows * 8);
    new Float64Array(out.buffer.buffer, at, rows).set(numbers.subarray(0, rows));
  }
}

/** The frame of a struct column: names, then `write(i)` for each field behind its length. */
export function writeStruct(
  out: ByteWriter,
  names: readonly string[],
  rows: number,
  write: (field: number) => void,
): void {
  out.u8(kind.struct);
  out.varint(names.length);
  for (const name of names) out.utf8(name);
  if (names.length === 0) pad(out, padding(rows));
  for (let i = 0; i < names.length; i++) {
    const at = out.length;
    out.u32(0);
    write(i);
    out.patchU32(at, out.length - at - 4);
  }
}

function pad(out: ByteWriter, count: number): void {
  const at = reserve(out, 1, count);
  out.buffer.fill(0, at, at + count);
}

function survey(values: readonly unknown[], rows: number): number {
  let what = 0;
  for (let i = 0; i < rows; i++) {
    const v = values[i];
    switch (typeof v) {
      case "number":
        what |= seen.number;
        break;
      case "string":
        what |= seen.string;
        break;
      case "boolean":
        what |= seen.boolean;
        break;
      case "bigint":
        what |= seen.bigint;
        break;
      case "undefined":
        what |= seen.undefined;
        break;
      case "object":
        if (v === null) what |= seen.null;
        else {
          const p = plainness(v);
          what |=
            p === "object"
              ? seen.object
              : p === "array"
                ? seen.array
                : p === "bytes"
                  ? seen.bytes
                  : seen.other;
        }
        break;
      default:
        what |= v === absent ? seen.absent : seen.other;
    }
  }
  return what;
}

function chooseKind(
  plain: number,
  values: readonly unknown[],
  rows: number,
  depth: number,
): number {
  switch (plain) {
    case 0:
    case seen.boolean:
      return kind.boolean;
    case seen.number:
      return kind.float64;
    case seen.string:
      return kind.ascii;
    case seen.bytes:
      return kind.bytes;
    case seen.bigint:
      for (let i = 0; i < rows; i++) {
        const v = values[i];
        if (typeof v === "bigint" && (v < minInt64 || v > maxInt64)) return kind.tagged;
      }
      return kind.bigint64;
    case seen.array:
      return depth < maxColumnDepth && itemsOf(values, rows) <= maxDecodedRows
        ? kind.list
        : kind.tagged;
    case seen.object:
      return depth < maxColumnDepth && fieldsOf(values, rows) !== undefined
        ? kind.struct
        : kind.tagged;
    default:
      return kind.tagged;
  }
}

function itemsOf(lists: readonly unknown[], rows: number): number {
  let items = 0;
  for (let i = 0; i < rows; i++) {
    const list = lists[i];
    if (Array.isArray(list)) items += list.length;
  }
  return items;
}

/** Union of the objects' fields by first appearance, or undefined when they are too many or too sparse for columns. */
function fieldsOf(values: readonly unknown[], rows: number): string[] | undefined {
  const names = new Set<string>();
  let cells = 0;
  let objects = 0;
  for (let i = 0; i < rows; i++) {
    const v = values[i];
    if (typeof v !== "object" || v === null) continue;
    const keys = Object.keys(v);
    for (let j = 0; j < keys.length; j++) names.add(keys[j]!);
    if (names.size > maxStructFields) return undefined;
    cells += keys.length;
    objects++;
  }
  return cells * 2 >= names.size * objects ? [...names] : undefined;
}

function writeMask(out: ByteWriter, values: readonly unknown[], rows: number, what: number): void {
  out.u8(kind.mask);
  out.u8(
    ((what & seen.null) !== 0 ? 1 : 0) |
      ((what & seen.undefined) !== 0 ? 2 : 0) |
      ((what & seen.absent) !== 0 ? 4 : 0),
  );
  if ((what & seen.null) !== 0) writeBits(out, values, rows, null);
  if ((what & seen.undefined) !== 0) writeBits(out, values, rows, undefined);
  if ((what & seen.absent) !== 0) writeBits(out, values, rows, absent);
}

/** Bit i is set where values[i] is `wanted`. */
function writeBits(
  out: ByteWriter,
  values: readonly unknown[],
  rows: number,
  wanted: unknown,
): void {
  const count = (rows + 7) >>> 3;
  const at = reserve(out, 1, count);
  const bytes = out.buffer;
  bytes.fill(0, at, at + count);
  for (let i = 0; i < rows; i++) {
    if (values[i] === wanted) bytes[at + (i >>> 3)]! |= 1 << (i & 7);
  }
}

function writeNumbers(out: ByteWriter, values: readonly unknown[], rows: number): void {
  const numbers = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const v = values[i];
    if (typeof v === "number") numbers[i] = v;
  }
  writeFloats(out, numbers, rows);
}

function writeStrings(out: ByteWriter, values: readonly unknown[], rows: number): void {
  const strings = new Array<string>(rows);
  for (let i = 0; i < rows; i++) {
    const v = values[i];
    strings[i] = typeof v === "string" ? v : "";
  }
  writeTexts(out, strings, rows, true);
}

function writeBigints(out: ByteWriter, values: readonly bigint[], rows: number): void {
  out.u8(kind.bigint64);
  const at = reserve(out, 8, rows * 8);
  const column = new BigInt64Array(out.buffer.buffer, at, rows);
  for (let i = 0; i < rows; i++) column[i] = values[i] ?? 0n;
}

function writeBytes(out: ByteWriter, values: readonly Uint8Array[], rows: number): void {
  out.u8(kind.bytes);
  const at = reserve(out, 4, rows * 4);
  const ends = new Uint32Array(out.buffer.buffer, at, rows);
  let end = 0;
  for (let i = 0; i < rows; i++) ends[i] = end += values[i]!.length;
  for (let i = 0; i < rows; i++) out.raw(values[i]!);
}

function writeLists(
  out: ByteWriter,
  lists: readonly (readonly unknown[])[],
  rows: number,
  place: ColumnPlace,
): void {
  out.u8(kind.list);
  const at = reserve(out, 4, rows * 4);
  const ends = new Uint32Array(out.buffer.buffer, at, rows);
  const items: unknown[] = [];
  for (let i = 0; i < rows; i++) {
    const list = lists[i]!;
    for (let j = 0; j < list.length; j++) items.push(list[j]);
    ends[i] = items.length;
  }
  writeColumn(out, items, items.length, place.inner());
}

function writeObjects(
  out: ByteWriter,
  objects: readonly object[],
  rows: number,
  place: ColumnPlace,
): void {
  const names = fieldsOf(objects, rows) ?? [];
  const cells = new Array<unknown>(rows);
  writeStruct(out, names, rows, (field) => {
    const name = names[field] ?? "";
    for (let i = 0; i < rows; i++) {
      const o = objects[i] as Record<string, unknown>;
      cells[i] = Object.hasOwn(o, name) ? o[name] : absent;
    }
    writeColumn(out, cells, rows, place.inner());
  });
}

function writeTagged(out: ByteWriter, values: readonly unknown[], rows: number): void {
  out.u8(kind.tagged);
  const at = out.length;
  out.u32(0);
  for (let i = 0; i < rows; i++) {
    try {
      writeValue(out, values[i]);
    } catch (error) {
      throw withPath(error, "", { row: i });
    }
  }
  out.patchU32(at, out.length - at - 4);
}
