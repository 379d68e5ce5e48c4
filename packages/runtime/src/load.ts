/**
 * How a subtask spends its time: busy, idle or backpressured. The three add up to the time since it started.
 *
 * LOD-1  Time counts towards the state that the subtask was in, from one `enter` to the next.
 * LOD-2  Subtasks share their slot's thread, so a subtask with work is busy until another one has its turn, and then backpressured:
 *        otherwise the slowest of a slot would make all of them look busy. What the loop itself takes between two slices counts for
 *        the subtask that was at work.
 */
import type { Clock } from "@millrace/base";

export type LoadState = "busy" | "idle" | "backpressured";

export class LoadMeter {
  readonly #clock: Clock;
  #state: LoadState = "idle";
  #since: number;
  readonly #totalMs = { busy: 0, idle: 0, backpressured: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }
  /** Another subtask has its turn. */
  leave(): void {
    if (this.#state === "busy") this.enter("backpressured");
  }
  enter(state: LoadState): void {
    if (state === this.#state) return;
    const now = this.#clock.monotonic();
    this.#totalMs[this.#state] += now - this.#since;
    this.#since = now;
    this.#state = state;
  }
  /** Total ms in a state since the start, the current stretch included. */
  totalMs(state: LoadState): number {
    return (
      this.#totalMs[state] + (state === this.#state ? this.#clock.monotonic() - this.#since : 0)
    );
  }
}
