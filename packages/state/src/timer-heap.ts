/**
 * A binary heap of timers by time and then by the order of insertion. Entries lie in one typed array: no objects.
 */

/** time, order, key id, a, b */
const fields = 5;

export class TimerHeap {
  #entries = new Float64Array(16 * fields);
  #size = 0;
  #order = 0;

  get size(): number {
    return this.#size;
  }
  /** Of the first entry; the heap must not be empty. */
  get time(): number {
    return this.#entries[0]!;
  }
  get key(): number {
    return this.#entries[2]!;
  }
  get a(): number {
    return this.#entries[3]!;
  }
  get b(): number {
    return this.#entries[4]!;
  }

  push(key: number, time: number, a: number, b: number): void {
    if ((this.#size + 1) * fields > this.#entries.length) {
      const grown = new Float64Array(2 * this.#entries.length);
      grown.set(this.#entries);
      this.#entries = grown;
    }
    const entries = this.#entries;
    const order = this.#order++;
    let at = this.#size++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      // A later one with the same time stays behind.
      if (time >= entries[up * fields]!) break;
      entries.copyWithin(at * fields, up * fields, (up + 1) * fields);
      at = up;
    }
    const start = at * fields;
    entries[start] = time;
    entries[start + 1] = order;
    entries[start + 2] = key;
    entries[start + 3] = a;
    entries[start + 4] = b;
  }
  /** Drops the first entry. */
  pop(): void {
    const entries = this.#entries;
    const last = --this.#size;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#before(child + 1, child)) child += 1;
      if (!this.#before(child, last)) break;
      entries.copyWithin(at * fields, child * fields, (child + 1) * fields);
      at = child;
    }
    entries.copyWithin(at * fields, last * fields, (last + 1) * fields);
  }
  #before(x: number, y: number): boolean {
    const entries = this.#entries;
    const d = entries[x * fields]! - entries[y * fields]!;
    return d < 0 || (d === 0 && entries[x * fields + 1]! < entries[y * fields + 1]!);
  }
}
