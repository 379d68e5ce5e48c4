/**
 * The hashes of a whole column of string keys, from its bytes.
 *
 * HCL-1  They are those of `hashKey`, string by string.
 */
import { hashBlock, hashEnd, hashSeed } from "./hash.ts";
import { hashKey, stringTag } from "./key.ts";
import { encodeText } from "./text.ts";

/** Shorter ones are read unit by unit: joining and encoding them costs more. */
const joinedFrom = 12;

/**
 * Of ASCII strings that lie one behind the other from `from` on. `ends` are relative to it. Eight bytes behind the last must be there to
 * be read, whatever they are.
 */
export function hashAscii(
  view: DataView,
  from: number,
  ends: Uint32Array,
  rows: number,
  hashes: Uint32Array,
): void {
  let at = from;
  for (let row = 0; row < rows; row++) {
    const end = from + ends[row]!;
    const length = end - at;
    let hash = hashSeed;
    for (; at + 8 <= end; at += 8)
      hash = hashBlock(hash, view.getInt32(at, true), view.getInt32(at + 4, true));
    // What is left, 0 to 7 bytes, and the tag behind it.
    const rest = end - at;
    if (rest < 4) {
      const low = rest === 0 ? 0 : view.getInt32(at, true) & ((1 << (rest * 8)) - 1);
      hash = hashBlock(hash, low | (stringTag << (rest * 8)), 0);
    } else {
      const bits = (rest - 4) * 8;
      const high = bits === 0 ? 0 : view.getInt32(at + 4, true) & ((1 << bits) - 1);
      hash = hashBlock(hash, view.getInt32(at, true), high | (stringTag << bits));
    }
    hashes[row] = hashEnd(hash, length + 1);
    at = end;
  }
}

let scratch = new Uint8Array(1_024);
let view = new DataView(scratch.buffer);
let ends = new Uint32Array(64);

/** Of strings in an array. */
export function hashStrings(strings: readonly string[], rows: number, hashes: Uint32Array): void {
  let units = 0;
  for (let row = 0; row < rows; row++) units += strings[row]!.length;
  if (units < rows * joinedFrom || !hashJoined(strings, rows, units, hashes))
    for (let row = 0; row < rows; row++) hashes[row] = hashKey(strings[row]);
}

/** False when they are not ASCII. */
function hashJoined(
  strings: readonly string[],
  rows: number,
  units: number,
  hashes: Uint32Array,
): boolean {
  if (units * 3 + 8 > scratch.length) {
    scratch = new Uint8Array(units * 4 + 8);
    view = new DataView(scratch.buffer);
  }
  if (rows > ends.length) ends = new Uint32Array(rows * 2);
  let joined = "";
  for (let row = 0; row < rows; row++) {
    joined += strings[row]!;
    ends[row] = joined.length;
  }
  if (encodeText(joined, scratch, 0) !== units) return false;
  hashAscii(view, 0, ends, rows, hashes);
  return true;
}
