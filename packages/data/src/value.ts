/**
 * Any plain value to bytes and back: the tagged encoding for what has no column or no declared type.
 *
 * VAL-1  decode(encode(v)) equals v: -0, undefined, null, bigint, bytes, Date, Map, Set, lone surrogates, objects without a
 *        prototype and the order of properties included. Holes of an array become undefined; an array carries its elements
 *        only; properties with symbol keys and non-enumerable ones are not data. A Buffer comes back as a Uint8Array.
 * VAL-2  Deterministic: the same value gives the same bytes (there is one NaN).
 * VAL-3  Functions, symbols, errors, class instances and values nested deeper than `maxDepth` (hence cycles) are refused with
 *        `DATA_UNENCODABLE` naming the path.
 *
 * value := tag payload; see the table of tags.
 */
import type { ByteReader } from "./bytes.ts";
import { ByteWriter } from "./bytes.ts";
import { fail } from "./fail.ts";
import { absent, inside, maxDepth, plainness, setField, unencodable, withPath } from "./plain.ts";

const tag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** Integers of ±2^53 except -0: zig-zag varint when |v| < 2^31, else float64. */
  int: 4,
  float64: 5,
  string: 6,
  bigint: 7,
  bytes: 8,
  date: 9,
  array: 10,
  object: 11,
  bareObject: 12,
  map: 13,
  set: 14,
  /** No property at all; only in columns. */
  absent: 15,
} as const;

export function writeValue(out: ByteWriter, value: unknown, depth = 0): void {
  switch (typeof value) {
    case "string":
      out.u8(tag.string);
      out.utf8(value);
      return;
    case "number":
      writeNumber(out, value);
      return;
    case "boolean":
      out.u8(value ? tag.true : tag.false);
      return;
    case "undefined":
      out.u8(tag.undefined);
      return;
    case "bigint":
      out.u8(tag.bigint);
      writeBigint(out, value);
      return;
    case "object":
      if (value === null) out.u8(tag.null);
      else writeObject(out, value, depth);
      return;
    default:
      if (value === absent) {
        out.u8(tag.absent);
        return;
      }
      throw unencodable(value, "");
  }
}

/** `depth` 0, where a column's rows are read, admits `absent`. */
export function readValue(input: ByteReader, depth = 1): unknown {
  if (depth > maxDepth + 1)
    throw fail("DATA_BAD_VALUE", { fields: { at: input.at, reason: "depth" } });
  const at = input.at;
  switch (input.u8()) {
    case tag.undefined:
      return undefined;
    case tag.null:
      return null;
    case tag.false:
      return false;
    case tag.true:
      return true;
    case tag.int:
      return unzigzag(input.varint());
    case tag.float64:
      return input.f64();
    case tag.string:
      return input.utf8();
    case tag.bigint:
      return readBigint(input);
    case tag.bytes:
      return input.byteString();
    case tag.date:
      return new Date(input.f64());
    case tag.array:
      return readItems(input, depth);
    case tag.object:
      return readFields(input, {}, depth);
    case tag.bareObject:
      return readFields(input, Object.create(null) as object, depth);
    case tag.map:
      return readMap(input, depth);
    case tag.set:
      return new Set(readItems(input, depth));
    case tag.absent:
      if (depth === 0) return absent;
      break;
    default:
  }
  throw fail("DATA_BAD_VALUE", { fields: { at, reason: "tag" } });
}

/** One value as bytes. Throws `DATA_UNENCODABLE`. */
export function encodeValue(value: unknown): Uint8Array<ArrayBuffer> {
  scratch.reset();
  writeValue(scratch, value);
  return scratch.finish();
}
const scratch = new ByteWriter(1_024);

/** Zig-zag: 0, -1, 1, -2 become 0, 1, 2, 3. For |v| < 2^31. */
export const zigzag = (v: number): number => (v < 0 ? -2 * v - 1 : 2 * v);
export const unzigzag = (v: number): number => (v % 2 === 0 ? v / 2 : -(v + 1) / 2);

/** Sign and size in one varint, then the magnitude in bytes, least first. */
export function writeBigint(out: ByteWriter, value: bigint): void {
  const hex = (value < 0n ? -value : value).toString(16);
  const count = (hex.length + 1) >> 1;
  out.varint(count * 2 + (value < 0n ? 1 : 0));
  for (let i = 0; i < count; i++) {
    const end = hex.length - 2 * i;
    out.u8(Number.parseInt(hex.slice(Math.max(0, end - 2), end), 16));
  }
}
export function readBigint(input: ByteReader): bigint {
  const header = input.varint();
  const bytes = input.raw(Math.floor(header / 2));
  let hex = "";
  for (let i = bytes.length - 1; i >= 0; i--) hex += (bytes[i] ?? 0).toString(16).padStart(2, "0");
  const magnitude = BigInt(`0x${hex || "0"}`);
  return header % 2 === 1 ? -magnitude : magnitude;
}

function writeNumber(out: ByteWriter, value: number): void {
  if ((value | 0) === value && !Object.is(value, -0)) {
    out.u8(tag.int);
    out.varint(zigzag(value));
  } else {
    out.u8(tag.float64);
    out.f64(value === value ? value : Number.NaN);
  }
}

function writeObject(out: ByteWriter, value: object, depth: number): void {
  if (depth >= maxDepth) throw unencodable(value, "", "nested too deeply, or in a cycle");
  switch (plainness(value)) {
    case "object":
      out.u8(tag.object);
      writeFields(out, value, depth);
      return;
    case "bare":
      out.u8(tag.bareObject);
      writeFields(out, value, depth);
      return;
    case "array":
      out.u8(tag.array);
      writeItems(out, value as readonly unknown[], depth);
      return;
    case "bytes":
      out.u8(tag.bytes);
      out.bytes(value as Uint8Array);
      return;
    case "date":
      out.u8(tag.date);
      out.f64((value as Date).getTime());
      return;
    case "set":
      out.u8(tag.set);
      writeItems(out, [...(value as Set<unknown>)], depth);
      return;
    case "map": {
      const map = value as Map<unknown, unknown>;
      out.u8(tag.map);
      out.varint(map.size);
      for (const [k, v] of map)
        inside("key", () => {
          writeValue(out, k, depth + 1);
          writeValue(out, v, depth + 1);
        });
      return;
    }
    default:
      throw unencodable(value, "");
  }
}

function writeItems(out: ByteWriter, items: readonly unknown[], depth: number): void {
  out.varint(items.length);
  for (let i = 0; i < items.length; i++) {
    try {
      writeValue(out, items[i], depth + 1);
    } catch (error) {
      throw withPath(error, `[${i}]`);
    }
  }
}

function writeFields(out: ByteWriter, value: object, depth: number): void {
  const names = Object.keys(value);
  out.varint(names.length);
  for (const name of names) {
    out.utf8(name);
    try {
      writeValue(out, (value as Record<string, unknown>)[name], depth + 1);
    } catch (error) {
      throw withPath(error, `.${name}`);
    }
  }
}

function readItems(input: ByteReader, depth: number): unknown[] {
  const count = input.count();
  const items: unknown[] = [];
  for (let i = 0; i < count; i++) items.push(readValue(input, depth + 1));
  return items;
}

function readFields(input: ByteReader, target: object, depth: number): object {
  const count = input.count(2);
  for (let i = 0; i < count; i++) {
    const name = input.utf8();
    setField(target, name, readValue(input, depth + 1));
  }
  return target;
}

function readMap(input: ByteReader, depth: number): Map<unknown, unknown> {
  const count = input.count(2);
  const map = new Map<unknown, unknown>();
  for (let i = 0; i < count; i++) {
    const key = readValue(input, depth + 1);
    map.set(key, readValue(input, depth + 1));
  }
  return map;
}
