/**
 * Strings to a column: one text and the ends of its pieces, or a dictionary. Layout: wire.ts.
 *
 * TXC-1  A column takes at most two bytes per UTF-16 unit: what would be longer in UTF-8 is written as UTF-16.
 */
import type { ByteWriter } from "./bytes.ts";
import { encodeText } from "./text.ts";
import { kind } from "./wire.ts";

/** Where a column's ASCII text and its ends lie in what is being written. */
export interface TextPlace {
  readonly from: number;
  readonly endsAt: number;
}

/** A column of strings only; with few distinct ones, a dictionary. Answers where the text lies if it is ASCII. */
export function writeTexts(
  out: ByteWriter,
  strings: readonly string[],
  rows: number,
  tryDictionary: boolean,
): TextPlace | undefined {
  if (tryDictionary && looksRepetitive(strings, rows) && writeDictionary(out, strings, rows))
    return undefined;
  const start = out.length;
  out.u8(kind.ascii);
  let at = reserve(out, 4, rows * 4);
  let ends = new Uint32Array(out.buffer.buffer, at, rows);
  // Joined in a local variable: V8 keeps the pieces young and flattens them once.
  let joined = "";
  for (let i = 0; i < rows; i++) {
    joined += strings[i]!;
    ends[i] = joined.length;
  }
  const length = joined.length;
  const from = out.length;
  // A little more room than ASCII needs: a longer result then shows instead of being cut off.
  out.ensure(length * 3 + 8);
  const written = encodeText(joined, out.buffer, from);
  if (written === length) {
    out.reset(from + length);
    return { from, endsAt: at };
  }
  ends = new Uint32Array(out.buffer.buffer, at, rows).slice();
  out.reset(start);
  // UTF-16 is also the shorter one for scripts that take three bytes in UTF-8, and bounds a column at two bytes per unit.
  if (written <= length * 2 && joined.isWellFormed()) {
    out.u8(kind.utf8);
    out.u32(written);
    at = reserve(out, 4, rows * 4);
    new Uint32Array(out.buffer.buffer, at, rows).set(ends);
    out.rawUtf8(joined);
  } else {
    out.u8(kind.utf16);
    at = reserve(out, 4, rows * 4);
    new Uint32Array(out.buffer.buffer, at, rows).set(ends);
    out.rawUtf16(joined);
  }
  return undefined;
}

/** Few distinct strings among 32 rows spread over the column. */
export function looksRepetitive(strings: readonly string[], rows: number): boolean {
  if (rows < 64) return false;
  const sample = new Set<string>();
  for (let i = 0; i < 32; i++) sample.add(strings[Math.floor((i * rows) / 32)] ?? "");
  return sample.size <= 12;
}

function writeDictionary(out: ByteWriter, strings: readonly string[], rows: number): boolean {
  const most = Math.min(256, rows >>> 2);
  const codes = new Map<string, number>();
  const column = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    const s = strings[i]!;
    let code = codes.get(s);
    if (code === undefined) {
      code = codes.size;
      if (code === most) return false;
      codes.set(s, code);
    }
    column[i] = code;
  }
  out.u8(kind.dictionary);
  out.u8(codes.size & 255);
  writeTexts(out, [...codes.keys()], codes.size, false);
  out.raw(column);
  return true;
}

/** Position of `count` bytes aligned to `size`, now counted as written. */
export function reserve(out: ByteWriter, size: number, count: number): number {
  const gap = -out.length & (size - 1);
  out.ensure(gap + count);
  const at = out.length + gap;
  if (gap > 0) out.buffer.fill(0, out.length, at);
  out.reset(at + count);
  return at;
}
