/** The timers of one job: they end with it. */
import type { Cancel, Timers } from "@millrace/base";

export class JobTimers {
  readonly #timers: Timers;
  readonly #running = new Set<Cancel>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }
  after(delayMs: number, fn: () => void): Cancel {
    const stop = this.#timers.after(delayMs, () => {
      this.#running.delete(cancel);
      fn();
    });
    const cancel = () => {
      this.#running.delete(cancel);
      stop();
    };
    this.#running.add(cancel);
    return cancel;
  }
  close(): void {
    for (const cancel of [...this.#running]) cancel();
  }
}
