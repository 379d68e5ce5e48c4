/** Hints that wait until there is somebody to hear them. */
import { fail } from "./fail.ts";

/** A reader asks for a split when it has none, and asks again after a restore: some per reader are waiting at most. */
const maxHints = 1_024;

export class Hints {
  #waiting: Uint8Array[] = [];
  #listener: ((payload: Uint8Array) => void) | undefined;

  /** Hears what has waited, and from then on each at once. */
  listen(listener: (payload: Uint8Array) => void): void {
    this.#listener = listener;
    for (const payload of this.take()) listener(payload);
  }
  /** One has come. */
  heard(payload: Uint8Array): void {
    if (this.#listener === undefined) this.push(payload);
    else this.#listener(payload);
  }
  /** Throws `EXCHANGE_CORRUPT` beyond the bound. */
  push(payload: Uint8Array): void {
    if (this.#waiting.length >= maxHints)
      throw fail("EXCHANGE_CORRUPT", { fields: { reason: "too many hints wait" } });
    this.#waiting.push(payload);
  }
  take(): readonly Uint8Array[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }
}
