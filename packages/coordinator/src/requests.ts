/** Questions to TaskManagers over the control stream, matched with their answers by an id; each has a deadline. */
import type { Cancel, Platform } from "@millrace/base";

const deadlineMs = 30_000;

export class Requests {
  readonly #platform: Platform;
  readonly #waiting = new Map<
    string,
    {
      readonly resolve: (answer: unknown) => void;
      readonly reject: (error: unknown) => void;
      readonly cancel: Cancel;
    }
  >();

  constructor(platform: Platform) {
    this.#platform = platform;
  }
  ask<A>(send: (requestId: string) => void): Promise<A> {
    const requestId = this.#platform.random.hex(8);
    return new Promise<A>((resolve, reject) => {
      const cancel = this.#platform.timers.after(deadlineMs, () => {
        this.#waiting.delete(requestId);
        reject(new Error("the taskmanager did not answer in time"));
      });
      this.#waiting.set(requestId, {
        resolve: resolve as (answer: unknown) => void,
        reject,
        cancel,
      });
      send(requestId);
    });
  }
  answer(requestId: string, value: unknown): void {
    const waiting = this.#waiting.get(requestId);
    if (waiting === undefined) return;
    this.#waiting.delete(requestId);
    waiting.cancel();
    waiting.resolve(value);
  }
  close(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.cancel();
      waiting.reject(new Error("the jobmanager is ending"));
    }
    this.#waiting.clear();
  }
}
