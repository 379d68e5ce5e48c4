/**
 * How long a slot works before it looks at the world again, seen row by row at next to no cost.
 *
 * SLC-1  The clock is read once in `mostRows` rows, and after every row once the rows between two looks took longer than `longMs`.
 * SLC-2  A step may always do one thing, however late it is: work goes on even when each piece of it is longer than a slice.
 */
import type { Clock } from "@millrace/base";

const sliceMs = 1;
const mostRows = 16;
const longMs = 0.05;

/** One per slot. */
export class Slice {
  readonly clock: Clock;
  #endsAt = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }
  begin(): void {
    this.#endsAt = this.clock.monotonic() + sliceMs;
  }
  endedAt(now: number): boolean {
    return now >= this.#endsAt;
  }
  get ended(): boolean {
    return this.endedAt(this.clock.monotonic());
  }
}

/** One per subtask: `over` is asked before each row and timer, `overNow` after each letter. */
export class SliceWatch {
  readonly #slice: Slice;
  /** Rows between two looks at the clock, and those that are left until the next. */
  #stride = 1;
  #left = 0;
  #lookedAt = 0;
  #stopped = false;

  constructor(slice: Slice) {
    this.#slice = slice;
  }
  /** A step begins. */
  begin(): void {
    this.#stopped = false;
    this.#lookedAt = this.#slice.clock.monotonic();
    // The first question is free (SLC-2).
    this.#left = this.#stride + 1;
  }
  get over(): boolean {
    this.#left -= 1;
    return this.#left <= 0 && this.#look();
  }
  /** The same, and looks at the clock in any case: for pieces of work that are longer than a row. */
  get overNow(): boolean {
    return this.#look();
  }
  /** Something stopped in this step because the slice was over, and can go on in the next one. */
  get stopped(): boolean {
    return this.#stopped;
  }

  #look(): boolean {
    if (this.#stopped) return true;
    const now = this.#slice.clock.monotonic();
    this.#stride = now - this.#lookedAt > longMs ? 1 : Math.min(mostRows, 2 * this.#stride);
    this.#left = this.#stride;
    this.#lookedAt = now;
    this.#stopped = this.#slice.endedAt(now);
    if (this.#stopped) this.#left = 0;
    return this.#stopped;
  }
}
