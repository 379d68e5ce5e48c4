/** Sum and count by whole-number key, in typed arrays: an open-addressing index of row numbers. */
import { finish } from "./channel.ts";

export class PairTable {
  rows = 0;
  readonly #index: Int32Array;
  readonly #mask: number;
  readonly #keys: Int32Array;
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;

  /** For at most so many keys. */
  constructor(keys: number) {
    const size = 2 ** Math.ceil(Math.log2(keys * 2));
    this.#mask = size - 1;
    this.#index = new Int32Array(size).fill(-1);
    this.#keys = new Int32Array(keys);
    this.#sums = new Float64Array(keys);
    this.#counts = new Float64Array(keys);
  }
  /** The row of the key. */
  add(key: number, n: number): number {
    for (let at = finish(key) & this.#mask; ; at = (at + 1) & this.#mask) {
      let row = this.#index[at] ?? -1;
      if (row < 0) {
        row = this.rows++;
        this.#index[at] = row;
        this.#keys[row] = key;
      } else if (this.#keys[row] !== key) continue;
      this.#sums[row] = (this.#sums[row] ?? 0) + n;
      this.#counts[row] = (this.#counts[row] ?? 0) + 1;
      return row;
    }
  }
  keyOf(row: number): number {
    return this.#keys[row] ?? 0;
  }
  sumOf(row: number): number {
    return this.#sums[row] ?? 0;
  }
  countOf(row: number): number {
    return this.#counts[row] ?? 0;
  }
}
