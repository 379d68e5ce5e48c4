/** A binary heap of timers, by time and then by the order of insertion. */

export interface HeapTimer {
  readonly key: unknown;
  readonly time: number;
  readonly a: number;
  readonly b: number;
}
interface Entry extends HeapTimer {
  readonly order: number;
}

export class TimerHeap {
  readonly #entries: Entry[] = [];
  #order = 0;

  get size(): number {
    return this.#entries.length;
  }
  peek(): HeapTimer | undefined {
    return this.#entries[0];
  }
  push(timer: HeapTimer): void {
    const entries = this.#entries;
    const entry: Entry = { ...timer, order: this.#order++ };
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = entries[up];
      if (parent === undefined || !before(entry, parent)) break;
      entries[at] = parent;
      at = up;
    }
    entries[at] = entry;
  }
  pop(): HeapTimer | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = entries[child];
      if (left === undefined) break;
      const right = entries[child + 1];
      let least = left;
      if (right !== undefined && before(right, left)) {
        child += 1;
        least = right;
      }
      if (!before(least, last)) break;
      entries[at] = least;
      at = child;
    }
    entries[at] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
