/**
 * A process of a simulated cluster: it can sleep (SIGSTOP, a long pause of the collector) and be killed. Whatever reaches it from
 * outside goes through `enter`: its timers, messages and frames, answers of the store.
 *
 * PRC-1  While it sleeps nothing of it runs; on waking everything that came meanwhile runs, in the order in which it came.
 * PRC-2  A trap makes it sleep just before a call to the store takes effect: between what it has looked at and what it does then.
 * PRC-3  Once it is dead nothing of it runs ever again. What it had asked of the store may still have its effect.
 */
import type { Platform } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";

export type StoreCall = "create" | "put" | "get" | "getRange" | "list" | "delete";

export class SimulatedProcess {
  /** Clock and randomness of the world, timers of this process. */
  readonly platform: Platform;
  readonly #world: Platform;
  #waiting: (() => void)[] = [];
  #asleep = false;
  #dead = false;
  #trap: { readonly call: StoreCall; readonly ms: number } | undefined;

  constructor(world: Platform) {
    this.#world = world;
    this.platform = {
      clock: world.clock,
      random: world.random,
      timers: {
        after: (delayMs, fn) => {
          let cancelled = false;
          const cancel = world.timers.after(delayMs, () =>
            this.enter(() => {
              if (!cancelled) fn();
            }),
          );
          return () => {
            cancelled = true;
            cancel();
          };
        },
        soon: (fn) => world.timers.soon(() => this.enter(fn)),
      },
    };
  }
  get dead(): boolean {
    return this.#dead;
  }
  get asleep(): boolean {
    return this.#asleep;
  }

  /** Something comes in from outside. */
  enter(fn: () => void): void {
    if (this.#dead) return;
    if (this.#asleep) this.#waiting.push(fn);
    else fn();
  }
  /** Sleeps from now on, for so long. */
  sleep(ms: number): void {
    if (this.#asleep || this.#dead) return;
    this.#asleep = true;
    this.#world.timers.after(ms, () => {
      this.#asleep = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      // Each as an event of its own: promises have their turn between two of them, and it may fall asleep again meanwhile.
      for (const fn of waiting) this.#world.timers.after(0, () => this.enter(fn));
    });
  }
  /** Sleeps for so long as soon as it makes such a call, before the call has an effect. */
  sleepBefore(call: StoreCall, ms: number): void {
    this.#trap = { call, ms };
  }
  kill(): void {
    this.#dead = true;
    this.#waiting = [];
  }

  /** The store as this process reaches it: a call begins at once, its answer comes in from outside. */
  store(store: BlobStore): BlobStore {
    const call = <T>(kind: StoreCall, begin: () => Promise<T>) => this.#call(kind, begin);
    return {
      location: store.location,
      create: (key, bytes) => call("create", () => store.create(key, bytes)),
      put: (key, bytes) => call("put", () => store.put(key, bytes)),
      get: (key) => call("get", () => store.get(key)),
      getRange: (key, from, to) => call("getRange", () => store.getRange(key, from, to)),
      delete: (keys) => call("delete", () => store.delete(keys)),
      async *list(prefix) {
        yield* await call("list", () => Array.fromAsync(store.list(prefix)));
      },
      close: () => store.close(),
    };
  }
  async #call<T>(kind: StoreCall, begin: () => Promise<T>): Promise<T> {
    if (this.#trap?.call === kind) {
      const { ms } = this.#trap;
      this.#trap = undefined;
      this.sleep(ms);
      await this.#entered();
    }
    try {
      return await begin();
    } finally {
      await this.#entered();
    }
  }
  #entered(): Promise<void> {
    return new Promise((resolve) => this.enter(resolve));
  }
}
