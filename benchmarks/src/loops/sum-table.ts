/** Sums by string key in typed arrays: an open-addressing index of row numbers, probed by the hash that came with the record. */

export class SumTable {
  readonly #index: Int32Array;
  readonly #mask: number;
  readonly #hashes: Uint32Array;
  readonly #sums: Float64Array;
  readonly #keys: string[] = [];

  /** For at most so many keys. */
  constructor(keys: number) {
    const size = 2 ** Math.ceil(Math.log2(keys * 2));
    this.#mask = size - 1;
    this.#index = new Int32Array(size).fill(-1);
    this.#hashes = new Uint32Array(keys);
    this.#sums = new Float64Array(keys);
  }
  /** The sum with the value in it. */
  add(key: string, hash: number, value: number): number {
    // The channel has taken the low bits.
    for (let at = (hash >>> 7) & this.#mask; ; at = (at + 1) & this.#mask) {
      const row = this.#index[at] ?? -1;
      if (row < 0) {
        this.#index[at] = this.#keys.length;
        this.#hashes[this.#keys.length] = hash;
        this.#sums[this.#keys.length] = value;
        this.#keys.push(key);
        return value;
      }
      if (this.#hashes[row] === hash && this.#keys[row] === key) {
        const sum = (this.#sums[row] ?? 0) + value;
        this.#sums[row] = sum;
        return sum;
      }
    }
  }
}
