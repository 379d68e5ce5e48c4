/** Hands out permission for so many records a second. */
import type { ReaderContext } from "@millrace/spi";

export class Pace {
  readonly #context: ReaderContext;
  #ratePerSec = Number.POSITIVE_INFINITY;
  #since = Number.NaN;
  #done = 0;
  #cancel: (() => void) | undefined;

  constructor(context: ReaderContext) {
    this.#context = context;
  }
  /** Holds from now on; what was allowed and not taken is forgotten, so a change gives nothing away. */
  setRate(ratePerSec: number): void {
    if (ratePerSec === this.#ratePerSec) return;
    const first = Number.isNaN(this.#since);
    this.#ratePerSec = ratePerSec;
    if (first) return;
    this.#since = this.#context.platform.clock.monotonic();
    this.#done = 1;
  }
  /** How many records may pass now; when none, the reader is woken in time for the next. */
  allowed(): number {
    const { clock, timers } = this.#context.platform;
    const now = clock.monotonic();
    if (Number.isNaN(this.#since)) this.#since = now;
    const due = Math.floor(((now - this.#since) * this.#ratePerSec) / 1_000) + 1 - this.#done;
    if (due > 0) return due;
    this.#cancel?.();
    const waitMs = this.#since + (this.#done * 1_000) / this.#ratePerSec - now;
    this.#cancel = timers.after(Math.max(1, Math.ceil(waitMs)), () => this.#context.available());
    return 0;
  }
  passed(): void {
    this.#done += 1;
  }
  close(): void {
    this.#cancel?.();
  }
}
