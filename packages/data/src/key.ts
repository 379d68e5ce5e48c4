/**
 * Keys: one canonical encoding per value, whatever column or dictionary held it, and its hash.
 *
 * KEY-1  Equal keys have equal bytes, different keys different ones. -0 is 0, 1.0 is 1; 1 and 1n and "1" differ.
 * KEY-2  decodeKey is the inverse of encodeKey, but for -0 and the order of an object's fields.
 * KEY-3  hashKey(k) = hashBytes(encodeKey(k)); the paths that skip the bytes agree with it.
 * KEY-4  The encoding and the hash are frozen: they place stored state (`hash-vectors.json`).
 *
 * A key is its payload followed by a tag, so that the blocks of a string's hash are the blocks of its UTF-8 bytes:
 *
 *   string   UTF-8                         01      (with lone surrogates: UTF-16LE, 02)
 *   integer  int32 LE                      03      (|k| < 2^31)
 *   number   float64 LE                    04      (all others)
 *   boolean  00 or 01                      05
 *   bigint   sign and size, magnitude      06      (see value.ts)
 *   tuple    { varint(length) key }        07
 *   object   { name varint(length) key }   08      (fields sorted by UTF-16 units; name as BYT-2)
 */
import { ByteReader, ByteWriter, readUtf8, readUtf16 } from "./bytes.ts";
import { fail } from "./fail.ts";
import { hashBlock, hashBytes, hashEnd, hashSeed } from "./hash.ts";
import { plainness, setField } from "./plain.ts";
import { readBigint, writeBigint } from "./value.ts";

const tag = {
  string: 1,
  wideString: 2,
  int32: 3,
  float64: 4,
  boolean: 5,
  bigint: 6,
  tuple: 7,
  object: 8,
} as const;
/** The last byte of a string key. */
export const stringTag = tag.string;
/** A key is small; deeper nesting is refused. */
const maxKeyDepth = 16;

/** Refuses NaN, null, undefined, functions, symbols and class instances with `DATA_BAD_KEY` (fields `value`, `path`). */
export function encodeKey(key: unknown): Uint8Array<ArrayBuffer> {
  scratch.reset();
  writeKey(scratch, key);
  return scratch.finish();
}

/** Appends the canonical bytes of `key`, without a length. Throws `DATA_BAD_KEY`. */
export function writeKey(out: ByteWriter, key: unknown, path = "", depth = 0): void {
  switch (typeof key) {
    case "string":
      if (key.isWellFormed()) {
        out.rawUtf8(key);
        out.u8(tag.string);
      } else {
        out.rawUtf16(key);
        out.u8(tag.wideString);
      }
      return;
    case "number":
      if ((key | 0) === key) {
        out.u32(key | 0);
        out.u8(tag.int32);
      } else {
        if (key !== key) throw badKey(key, path);
        out.f64(key);
        out.u8(tag.float64);
      }
      return;
    case "boolean":
      out.u8(key ? 1 : 0);
      out.u8(tag.boolean);
      return;
    case "bigint":
      writeBigint(out, key);
      out.u8(tag.bigint);
      return;
    case "object":
      if (key !== null && depth < maxKeyDepth) return writeComposite(out, key, path, depth);
      break;
    default:
  }
  throw badKey(key, path);
}

/** Inverse of `encodeKey`. Throws `DATA_BAD_VALUE` or `DATA_TRUNCATED`. */
export function decodeKey(bytes: Uint8Array): unknown {
  return readKey(bytes, 0, bytes.length, 0);
}

/** Unsigned 32-bit hash of the canonical bytes. Throws `DATA_BAD_KEY`. */
export function hashKey(key: unknown): number {
  if (typeof key === "string") return hashString(key);
  if (typeof key === "number" && key === key) {
    if ((key | 0) === key) return hashEnd(hashBlock(hashSeed, key | 0, tag.int32), 5);
    float[0] = key;
    return hashEnd(hashBlock(hashBlock(hashSeed, words[0]!, words[1]!), tag.float64, 0), 9);
  }
  scratch.reset();
  writeKey(scratch, key);
  return hashBytes(scratch.buffer, 0, scratch.length);
}

const scratch = new ByteWriter(512);
const float = new Float64Array(1);
const words = new Int32Array(float.buffer);
/** Longer strings are written to bytes first: a call to the text backend is then cheaper than reading unit by unit. */
const shortString = 32;

function hashString(key: string): number {
  const length = key.length;
  if (length <= shortString) {
    let hash = hashSeed;
    let i = 0;
    // An or of all units tells at the end whether the string was ASCII.
    let units = 0;
    for (; i + 8 <= length; i += 8) {
      const a = key.charCodeAt(i),
        b = key.charCodeAt(i + 1),
        c = key.charCodeAt(i + 2),
        d = key.charCodeAt(i + 3);
      const e = key.charCodeAt(i + 4),
        f = key.charCodeAt(i + 5),
        g = key.charCodeAt(i + 6),
        h = key.charCodeAt(i + 7);
      units |= a | b | c | d | e | f | g | h;
      hash = hashBlock(
        hash,
        a | (b << 8) | (c << 16) | (d << 24),
        e | (f << 8) | (g << 16) | (h << 24),
      );
    }
    let low = 0;
    let high = 0;
    let shift = 0;
    for (; i < length; i++, shift += 8) {
      const unit = key.charCodeAt(i);
      units |= unit;
      if (shift < 32) low |= unit << shift;
      else high |= unit << (shift - 32);
    }
    if (units < 128) {
      if (shift < 32) low |= tag.string << shift;
      else high |= tag.string << (shift - 32);
      return hashEnd(hashBlock(hash, low, high), length + 1);
    }
  }
  scratch.reset();
  writeKey(scratch, key);
  return hashBytes(scratch.buffer, 0, scratch.length);
}

function writeComposite(out: ByteWriter, key: object, path: string, depth: number): void {
  const kind = plainness(key);
  if (kind === "array") {
    const items = key as readonly unknown[];
    for (let i = 0; i < items.length; i++) writeNested(out, items[i], `${path}[${i}]`, depth);
    out.u8(tag.tuple);
  } else if (kind === "object" || kind === "bare") {
    for (const name of Object.keys(key).sort()) {
      out.utf8(name);
      writeNested(out, (key as Record<string, unknown>)[name], `${path}.${name}`, depth);
    }
    out.u8(tag.object);
  } else throw badKey(key, path);
}

function writeNested(out: ByteWriter, key: unknown, path: string, depth: number): void {
  const at = out.length;
  out.u8(0);
  writeKey(out, key, path, depth + 1);
  const length = out.length - at - 1;
  if (length < 128) {
    out.buffer[at] = length;
    return;
  }
  const inner = out.buffer.slice(at + 1, out.length);
  out.reset(at);
  out.bytes(inner);
}

function readKey(bytes: Uint8Array, from: number, to: number, depth: number): unknown {
  if (from >= to) throw fail("DATA_TRUNCATED", { fields: { at: from, wanted: 1, remaining: 0 } });
  const end = to - 1;
  const input = new ByteReader(bytes, from, end);
  const malformed = () => fail("DATA_BAD_VALUE", { fields: { at: from, reason: "key" } });
  if (depth > maxKeyDepth) throw malformed();
  let key: unknown;
  switch (bytes[end]) {
    case tag.string:
      return readUtf8(bytes, from, end);
    case tag.wideString:
      return readUtf16(bytes, from, end);
    case tag.int32:
      key = input.u32() | 0;
      break;
    case tag.float64:
      key = input.f64();
      break;
    case tag.boolean:
      key = input.u8() === 1;
      break;
    case tag.bigint:
      key = readBigint(input);
      break;
    case tag.tuple: {
      const items: unknown[] = [];
      while (input.remaining > 0) items.push(readNested(input, depth));
      return items;
    }
    case tag.object: {
      const value = {};
      while (input.remaining > 0) {
        const name = input.utf8();
        setField(value, name, readNested(input, depth));
      }
      return value;
    }
    default:
      throw malformed();
  }
  if (input.remaining > 0) throw malformed();
  return key;
}

function readNested(input: ByteReader, depth: number): unknown {
  const length = input.varint();
  const from = input.take(length);
  return readKey(input.bytes, from, from + length, depth + 1);
}

function badKey(key: unknown, path: string): Error {
  const value =
    typeof key === "object" && key !== null ? (key.constructor?.name ?? "object") : String(key);
  return fail("DATA_BAD_KEY", { fields: { value, path } });
}
