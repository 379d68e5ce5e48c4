/**
 * How long a slot works before it looks at the world again, seen row by row at next to no cost.
 *
 * SLC-1  The clock is read once in `mostRows` rows, and after every row once the rows between two looks took longer than `longMs`.
 * SLC-2  A step may always do one thing, however late it is: work goes on even when each piece of it is longer than a slice.
 */
import type { Clock } from "@millrace/base";

const sliceMs = 1;
const mostRows = 128;
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

/**
 * One per subtask. Whoever begins rows counts `rows[0]` down and asks `over` once it is below zero, which renews it; `hold` lets no further
 * row begin before it is asked. The rest of `rows` is the chain's (GTX-6).
 */
export class SliceWatch {
  readonly rows = new Int32Array(3);
  readonly #slice: Slice;
  /** Rows between two looks at the clock. */
  #stride = 1;
  #lookedAt = 0;
  #stopped = false;

  constructor(slice: Slice) {
    this.#slice = slice;
  }
  /** A step begins. */
  begin(): void {
    this.#stopped = false;
    this.#lookedAt = this.#slice.clock.monotonic();
    // The first row is free (SLC-2).
    this.rows[0] = this.#stride;
  }
  hold(): void {
    this.rows[0] = this.rows[2] = 0;
  }
  /** The slice is over. Looks at the clock. */
  get over(): boolean {
    if (this.#stopped) return true;
    const now = this.#slice.clock.monotonic();
    this.#stride = now - this.#lookedAt > longMs ? 1 : Math.min(mostRows, 2 * this.#stride);
    this.#lookedAt = now;
    this.#stopped = this.#slice.endedAt(now);
    this.rows[0] = this.#stopped ? 0 : this.#stride - 1;
    return this.#stopped;
  }
  /** Something stopped in this step because the slice was over, and can go on in the next one. */
  get stopped(): boolean {
    return this.#stopped;
  }
}
