/**
 * Writing and reading binary formats: frames, segments, manifests, log entries, keys, values.
 *
 * BYT-1  A reader never reads past its end: it throws `DATA_TRUNCATED`. It never allocates by a claimed length alone.
 * BYT-2  `utf8` round-trips every JavaScript string: one with lone surrogates travels as UTF-16 units.
 *        Grammar: varint(2 * byteLength + wide) bytes; wide = 1 for UTF-16LE.
 * BYT-3  All numbers are little-endian; a varint holds an integer from 0 to 2^53 - 1 in at most 8 bytes, shortest form.
 */
import { fail } from "./fail.ts";
import { decodeText, encodeText } from "./text.ts";

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #at = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }
  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }
  /** The internal buffer; valid up to `length` until the next write. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }
  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }
  /** Forgets everything from `length` on, so that the writer can be used again. */
  reset(length = 0): void {
    this.#at = length;
  }
  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    const wanted = this.#at + count;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
  u8(value: number): void {
    this.ensure(1);
    this.#bytes[this.#at++] = value;
  }
  u32(value: number): void {
    this.ensure(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }
  /** Overwrites a `u32` at a position written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }
  f64(value: number): void {
    this.ensure(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }
  varint(value: number): void {
    this.ensure(8);
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.#bytes[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      this.#bytes[this.#at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }
  /** The bytes as they are, without a length. */
  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
  /** Length and bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }
  utf8(value: string): void {
    const length = value.length;
    this.ensure(length * 3 + 8);
    if (length < 48 && this.#shortAscii(value)) return;
    if (!value.isWellFormed()) return this.#wide(value);
    const start = this.#at;
    this.varint(length * 2);
    const from = this.#at;
    const written = encodeText(value, this.#bytes, from);
    if (written === length) {
      this.#at = from + written;
      return;
    }
    this.#at = start;
    this.varint(written * 2);
    this.#bytes.copyWithin(this.#at, from, from + written);
    if (this.#at !== from) encodeText(value, this.#bytes, this.#at);
    this.#at += written;
  }
  /** UTF-8 without a length; the string must be well formed. */
  rawUtf8(value: string): void {
    this.ensure(value.length * 3);
    this.#at += encodeText(value, this.#bytes, this.#at);
  }
  /** UTF-16 units without a length. */
  rawUtf16(value: string): void {
    this.ensure(value.length * 2);
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      this.#bytes[this.#at++] = unit & 255;
      this.#bytes[this.#at++] = unit >>> 8;
    }
  }

  #shortAscii(value: string): boolean {
    const bytes = this.#bytes;
    const at = this.#at + 1;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 127) return false;
      bytes[at + i] = unit;
    }
    bytes[this.#at] = value.length * 2;
    this.#at = at + value.length;
    return true;
  }
  #wide(value: string): void {
    this.varint(value.length * 4 + 1);
    this.rawUtf16(value);
  }
}

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, from = 0, to: number = bytes.length) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get remaining(): number {
    return this.end - this.at;
  }
  /** Position before `count` bytes that are there and now count as read. */
  take(count: number): number {
    const at = this.at;
    if (!(count >= 0 && count <= this.end - at))
      throw fail("DATA_TRUNCATED", { fields: { at, wanted: count, remaining: this.end - at } });
    this.at = at + count;
    return at;
  }
  u8(): number {
    return this.#view.getUint8(this.take(1));
  }
  u32(): number {
    return this.#view.getUint32(this.take(4), true);
  }
  f64(): number {
    return this.#view.getFloat64(this.take(8), true);
  }
  varint(): number {
    const start = this.at;
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER || (byte === 0 && i > 0)) break;
        return value;
      }
      factor *= 128;
    }
    throw fail("DATA_BAD_VALUE", { fields: { at: start, reason: "varint" } });
  }
  /** A length or count for which at least `bytesEach` bytes apiece must still be there. */
  count(bytesEach = 1): number {
    const at = this.at;
    const count = this.varint();
    if (count * bytesEach > this.remaining)
      throw fail("DATA_TRUNCATED", {
        fields: { at, wanted: count * bytesEach, remaining: this.remaining },
      });
    return count;
  }
  /** A copy of `length` bytes. */
  raw(length: number): Uint8Array<ArrayBuffer> {
    const from = this.take(length);
    return new Uint8Array(this.bytes.subarray(from, from + length));
  }
  /** Length and a copy of the bytes. */
  byteString(): Uint8Array<ArrayBuffer> {
    return this.raw(this.varint());
  }
  utf8(): string {
    const header = this.varint();
    const length = Math.floor(header / 2);
    const from = this.take(length);
    return header % 2 === 1
      ? readUtf16(this.bytes, from, from + length)
      : readUtf8(this.bytes, from, from + length);
  }
}

/** Throws `DATA_BAD_VALUE` for malformed UTF-8. */
export function readUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from < 24) {
    let short = "";
    let i = from;
    for (; i < to; i++) {
      const byte = bytes[i] ?? 128;
      if (byte > 127) break;
      short += String.fromCharCode(byte);
    }
    if (i === to) return short;
  }
  try {
    return decodeText(bytes, from, to);
  } catch (cause) {
    throw fail("DATA_BAD_VALUE", { fields: { at: from, reason: "utf-8" }, cause });
  }
}

/** Units, little-endian. Throws `DATA_BAD_VALUE` for an odd number of bytes. */
export function readUtf16(bytes: Uint8Array, from: number, to: number): string {
  if ((to - from) % 2 !== 0)
    throw fail("DATA_BAD_VALUE", { fields: { at: from, reason: "utf-16" } });
  let value = "";
  const units: number[] = [];
  for (let i = from; i < to; i += 2) {
    units.push((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8));
    // A call takes a bounded number of arguments.
    if (units.length === 1_024) value += String.fromCharCode(...units.splice(0));
  }
  return value + String.fromCharCode(...units);
}
