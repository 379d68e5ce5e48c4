/**
 * The only doors to the world outside: clock, timers, randomness. A pure package gets them by constructor, which is
 * what lets a whole cluster run in one process on a virtual clock and a seed.
 */

export interface Clock {
  /** Wall clock, ms since the epoch, UTC. May jump; never used to decide leadership or to measure. */
  now(): number;
  /** Monotonic ms with a fraction; only differences mean something. */
  monotonic(): number;
}

export interface Timers {
  /** Calls `fn` once after `delayMs` (≥ 0) unless cancelled. Callbacks never run inside this call. */
  after(delayMs: number, fn: () => void): Cancel;
  /** Calls `fn` once as soon as the current work and I/O that is due have had their turn. */
  soon(fn: () => void): void;
}
export type Cancel = () => void;

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

export interface Platform {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

/** Resolves after `delayMs`; rejects with the signal's reason when aborted first. */
export function sleep(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = timers.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
