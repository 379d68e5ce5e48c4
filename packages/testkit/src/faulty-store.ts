/**
 * A store that is slow and lies as real ones do: errors before an effect, answers that are lost, effects that come late, lists that lag.
 *
 * FLT-1  It never lies about what BLB-1 promises: of all creates of a key one wins, also among late ones.
 */
import { errorsOf, type Platform } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";

const fail = errorsOf({
  STORE_UNAVAILABLE: {
    domain: "external",
    retry: "backoff",
    message: "the store did not answer",
    fix: "repeat the call",
  },
} as const);

export interface StoreFaults {
  /** Largest delay of a call, ms; the usual one is a tenth of it. */
  readonly delayMs: number;
  /** Share of writes that fail before they had an effect. */
  readonly failed: number;
  /** Share of writes that have their effect, but whose answer is lost. */
  readonly lost: number;
  /** Share of writes whose answer is lost and whose effect comes up to `lateMs` later. */
  readonly late: number;
  readonly lateMs: number;
  /** Share of recent objects that a list does not show yet. */
  readonly lagging: number;
}

/** `faults` is asked at each call, so that a phase without faults can follow. */
export function faultyStore(
  store: BlobStore,
  platform: Platform,
  faults: () => StoreFaults,
): BlobStore {
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      platform.timers.after(ms, resolve);
    });
  const pause = () => {
    const { delayMs } = faults();
    return wait(
      platform.random.next() < 0.1
        ? platform.random.next() * delayMs
        : platform.random.next() * delayMs * 0.1,
    );
  };
  const recent = new Map<string, number>();
  const write = async <T>(key: string, effect: () => Promise<T>): Promise<T> => {
    await pause();
    const { failed, lost, late, lateMs } = faults();
    const dice = platform.random.next();
    const unavailable = () => fail("STORE_UNAVAILABLE", { fields: { key } });
    recent.set(key, platform.clock.monotonic());
    if (dice < failed) throw unavailable();
    if (dice < failed + lost) {
      await effect();
      throw unavailable();
    }
    if (dice < failed + lost + late) {
      platform.timers.after(platform.random.next() * lateMs, () => void effect());
      throw unavailable();
    }
    return await effect();
  };
  return {
    location: store.location,
    create: (key, bytes) => write(key, () => store.create(key, bytes)),
    put: (key, bytes) => write(key, () => store.put(key, bytes)),
    async get(key) {
      await pause();
      return await store.get(key);
    },
    async getRange(key, from, to) {
      await pause();
      return await store.getRange(key, from, to);
    },
    async *list(prefix) {
      await pause();
      for await (const info of store.list(prefix)) {
        const age = platform.clock.monotonic() - (recent.get(info.key) ?? Number.NEGATIVE_INFINITY);
        if (age < 1_000 && platform.random.next() < faults().lagging) continue;
        yield info;
      }
    },
    async delete(keys) {
      await pause();
      await store.delete(keys);
    },
    close: () => store.close(),
  };
}
