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

/** Deeper nesting is refused on both sides, so that neither overflows its stack. */
export const maxDepth = 128;

const tag = {
  undefined: 0, null: 1, false: 2, true: 3,
  /** Integers of ±2^53 except -0: zig-zag varint when |v| < 2^31, else float64. */
  int: 4, float64: 5,
  string: 6, bigint: 7, bytes: 8, date: 9,
  array: 10, object: 11, bareObject: 12, map: 13, set: 14,
  /** No property at all; only in columns. */
  absent: 15,
} as const;

/** Stands for a property that is not there, where columns are made of rows with different fields. */
export const absent: unique symbol = Symbol("absent");

export function writeValue(out: ByteWriter, value: unknown, depth = 0): void {
  switch (typeof value) {
    case "string": out.u8(tag.string); out.utf8(value); return;
    case "number": writeNumber(out, value); return;
    case "boolean": out.u8(value ? tag.true : tag.false); return;
    case "undefined": out.u8(tag.undefined); return;
    case "bigint": out.u8(tag.bigint); writeBigint(out, value); return;
    case "object":
      if (value === null) out.u8(tag.null);
      else writeObject(out, value, depth);
      return;
    default:
      if (value === absent) { out.u8(tag.absent); return; }
      throw unencodable(value, "");
  }
}

export function readValue(input: ByteReader, depth = 0): unknown {
  if (depth > maxDepth) throw fail("DATA_BAD_VALUE", { fields: { at: input.at, reason: "depth" } });
  const at = input.at;
  switch (input.u8()) {
    case tag.undefined: return undefined;
    case tag.null: return null;
    case tag.false: return false;
    case tag.true: return true;
    case tag.int: return unzigzag(input.varint());
    case tag.float64: return input.f64();
    case tag.string: return input.utf8();
    case tag.bigint: return readBigint(input);
    case tag.bytes: return input.byteString();
    case tag.date: return new Date(input.f64());
    case tag.array: return readItems(input, depth);
    case tag.object: return readFields(input, {}, depth);
    case tag.bareObject: return readFields(input, Object.create(null) as object, depth);
    case tag.map: return readMap(input, depth);
    case tag.set: return new Set(readItems(input, depth));
    case tag.absent: return absent;
    default: throw fail("DATA_BAD_VALUE", { fields: { at, reason: "tag" } });
  }
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

export type Plainness = "object" | "bare" | "array" | "bytes" | "date" | "map" | "set" | "other";

/** What kind of plain data an object is; `other` cannot travel. */
export function plainness(value: object): Plainness {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return "object";
  if (Array.isArray(value)) return prototype === Array.prototype ? "array" : "other";
  if (prototype === null) return "bare";
  if (value instanceof Uint8Array) return "bytes";
  if (prototype === Date.prototype) return "date";
  if (prototype === Map.prototype) return "map";
  if (prototype === Set.prototype) return "set";
  return "other";
}

/** A copy that shares no changeable part with the value. Throws `DATA_UNENCODABLE` as encoding would. */
export function copyValue(value: unknown, depth = 0): unknown {
  if (typeof value === "function" || (typeof value === "symbol" && value !== absent)) throw unencodable(value, "");
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) throw unencodable(value, "", "nested too deeply, or in a cycle");
  switch (plainness(value)) {
    case "array": return copyItems(value as readonly unknown[], depth);
    case "bytes": return new Uint8Array(value as Uint8Array);
    case "date": return new Date((value as Date).getTime());
    case "object": return copyFields(value, {}, depth);
    case "bare": return copyFields(value, Object.create(null) as object, depth);
    case "map": {
      const copy = new Map<unknown, unknown>();
      for (const [k, v] of value as Map<unknown, unknown>) inside("key", () => copy.set(copyValue(k, depth + 1), copyValue(v, depth + 1)));
      return copy;
    }
    case "set": return new Set(copyItems([...(value as Set<unknown>)], depth));
    default: throw unencodable(value, "");
  }
}

export function unencodable(value: unknown, path: string, reason?: string): Error {
  return fail("DATA_UNENCODABLE", { fields: { path, found: nameOf(value), ...(reason === undefined ? {} : { reason }) } });
}

/** Adds the outer part of the path to a `DATA_UNENCODABLE` on its way out. */
export function withPath(error: unknown, step: string, extra: Readonly<Record<string, number>> = {}): unknown {
  if (typeof error !== "object" || error === null || !("code" in error) || error.code !== "DATA_UNENCODABLE") return error;
  const { fields } = error as unknown as { fields: { path: string; found: string } };
  return fail("DATA_UNENCODABLE", { fields: { ...fields, path: step + fields.path, ...extra } });
}

/** Sets a property as own data, also when its name is `__proto__`. */
export function setField(target: object, name: string, value: unknown): void {
  if (name === "__proto__") Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  else (target as Record<string, unknown>)[name] = value;
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
    case "object": out.u8(tag.object); writeFields(out, value, depth); return;
    case "bare": out.u8(tag.bareObject); writeFields(out, value, depth); return;
    case "array": out.u8(tag.array); writeItems(out, value as readonly unknown[], depth); return;
    case "bytes": out.u8(tag.bytes); out.bytes(value as Uint8Array); return;
    case "date": out.u8(tag.date); out.f64((value as Date).getTime()); return;
    case "set": out.u8(tag.set); writeItems(out, [...(value as Set<unknown>)], depth); return;
    case "map": {
      const map = value as Map<unknown, unknown>;
      out.u8(tag.map);
      out.varint(map.size);
      for (const [k, v] of map) inside("key", () => { writeValue(out, k, depth + 1); writeValue(out, v, depth + 1); });
      return;
    }
    default: throw unencodable(value, "");
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

function copyItems(items: readonly unknown[], depth: number): unknown[] {
  const copy = new Array<unknown>(items.length);
  for (let i = 0; i < items.length; i++) {
    try {
      copy[i] = copyValue(items[i], depth + 1);
    } catch (error) {
      throw withPath(error, `[${i}]`);
    }
  }
  return copy;
}

function copyFields(value: object, copy: object, depth: number): object {
  for (const name of Object.keys(value)) {
    try {
      setField(copy, name, copyValue((value as Record<string, unknown>)[name], depth + 1));
    } catch (error) {
      throw withPath(error, `.${name}`);
    }
  }
  return copy;
}

function inside(what: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw withPath(error, `<${what}>`);
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

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "object";
}
