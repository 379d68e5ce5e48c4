/**
 * Brings encoded rows into the order of a segment: by key group, key and namespace, of equal ones the newest first.
 *
 * SRT-1  The order is that of comparing rows one with another. Most of it comes of a radix sort over the group and six bytes of the key,
 *        taken from where the keys begin to differ; only rows alike in these are compared.
 */
import { type RowRun, rowFields } from "./capture.ts";

export interface SortedRows {
  readonly count: number;
  /** Rows in order: numbers for the two others. */
  readonly order: Uint32Array;
  /** By row: the run that it is in, and where in its list. */
  readonly run: Uint32Array;
  readonly at: Uint32Array;
  /** Have two rows one address? */
  same(x: number, y: number): boolean;
}

/** `runs`: the newest last. Inside one, no address is there twice. */
export function sortRows(runs: readonly RowRun[]): SortedRows {
  const count = runs.reduce((sum, { rows }) => sum + rows.length / rowFields, 0);
  const run = new Uint32Array(count);
  const at = new Uint32Array(count);
  let row = 0;
  runs.forEach(({ rows }, i) => {
    for (let place = 0; place < rows.length; place += rowFields) {
      run[row] = i;
      at[row++] = place;
    }
  });
  const compare = comparison(runs, run, at);
  const { high, low } = prefixes(runs, run, at);
  const order = sortByWords(high, low);
  for (let from = 0; from < count; ) {
    const first = order[from]!;
    let to = from + 1;
    while (to < count && high[order[to]!] === high[first] && low[order[to]!] === low[first]) to++;
    if (to - from > 1) order.subarray(from, to).sort((x, y) => compare(x, y) || run[y]! - run[x]!);
    from = to;
  }
  const same = (x: number, y: number): boolean =>
    high[x] === high[y] && low[x] === low[y] && compare(x, y) === 0;
  return { count, order, run, at, same };
}

/** Of each row: group and two bytes, four more bytes. Bytes that a key does not have are 0. */
function prefixes(
  runs: readonly RowRun[],
  run: Uint32Array,
  at: Uint32Array,
): { readonly high: Uint32Array; readonly low: Uint32Array } {
  const high = new Uint32Array(run.length);
  const low = new Uint32Array(run.length);
  const skip = commonBytes(runs);
  for (let row = 0; row < run.length; row++) {
    const { bytes, rows } = runs[run[row]!]!;
    const place = at[row]!;
    const from = rows[place + 3]! + skip;
    const end = rows[place + 4]!;
    const byte = (i: number) => (from + i < end ? bytes[from + i]! : 0);
    high[row] = ((rows[place + 2]! << 16) | (byte(0) << 8) | byte(1)) >>> 0;
    low[row] = ((byte(2) << 24) | (byte(3) << 16) | (byte(4) << 8) | byte(5)) >>> 0;
  }
  return { high, low };
}

/** With which all keys begin. */
function commonBytes(runs: readonly RowRun[]): number {
  let first: Uint8Array | undefined;
  let common = 0;
  for (const { bytes, rows } of runs) {
    for (let place = 0; place < rows.length; place += rowFields) {
      const from = rows[place + 3]!;
      const end = rows[place + 4]!;
      if (first === undefined) {
        first = bytes.subarray(from, end);
        common = first.length;
      }
      common = Math.min(common, end - from);
      for (let i = 0; i < common; i++) if (bytes[from + i] !== first[i]) common = i;
      if (common === 0) return 0;
    }
  }
  return common;
}

/** Numbers of the words, by (high, low); equal ones in the order in which they are. */
function sortByWords(high: Uint32Array, low: Uint32Array): Uint32Array {
  const count = high.length;
  let order = Uint32Array.from({ length: count }, (_, i) => i);
  let next = new Uint32Array(count);
  for (let digit = 0; digit < 8; digit++) {
    const words = digit < 4 ? low : high;
    const shift = (digit & 3) * 8;
    const ends = new Uint32Array(257);
    for (let i = 0; i < count; i++) ends[((words[i]! >>> shift) & 255) + 1]! += 1;
    // All alike in this byte.
    if (ends.includes(count)) continue;
    for (let i = 1; i < 257; i++) ends[i]! += ends[i - 1]!;
    for (let i = 0; i < count; i++) {
      const row = order[i]!;
      const byte = (words[row]! >>> shift) & 255;
      next[ends[byte]!++] = row;
    }
    [order, next] = [next, order];
  }
  return order;
}

function comparison(runs: readonly RowRun[], run: Uint32Array, at: Uint32Array) {
  const views = runs.map(
    ({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  );
  return (x: number, y: number): number => {
    const a = runs[run[x]!]!;
    const b = runs[run[y]!]!;
    const aAt = at[x]!;
    const bAt = at[y]!;
    const group = a.rows[aAt + 2]! - b.rows[bAt + 2]!;
    if (group !== 0) return group;
    const aKey = a.rows[aAt + 3]!;
    const bKey = b.rows[bAt + 3]!;
    const aLength = a.rows[aAt + 4]! - aKey;
    const bLength = b.rows[bAt + 4]! - bKey;
    const length = Math.min(aLength, bLength);
    for (let i = 0; i < length; i++) {
      const d = a.bytes[aKey + i]! - b.bytes[bKey + i]!;
      if (d !== 0) return d;
    }
    if (aLength !== bLength) return aLength - bLength;
    for (let part = 0; part < 24; part += 8) {
      const d =
        views[run[x]!]!.getFloat64(aKey + length + part, true) -
        views[run[y]!]!.getFloat64(bKey + length + part, true);
      if (d !== 0) return d;
    }
    return 0;
  };
}
