/** A growing list of integers in one typed array. */
export class IntList {
  #items = new Int32Array(16);
  length = 0;

  push(item: number): void {
    if (this.length === this.#items.length) {
      const grown = new Int32Array(2 * this.length);
      grown.set(this.#items);
      this.#items = grown;
    }
    this.#items[this.length++] = item;
  }
  /** The last one; the list must not be empty. */
  pop(): number {
    return this.#items[--this.length]!;
  }
  at(index: number): number {
    return this.#items[index]!;
  }
  /** What is in it; of the list's own memory. */
  get items(): Int32Array<ArrayBuffer> {
    return this.#items.subarray(0, this.length);
  }
}
