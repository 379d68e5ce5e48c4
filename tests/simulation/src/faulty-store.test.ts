/** The store that lies keeps the contract: else a simulation would find faults of its own making. */
import type { Platform } from "@millrace/base";
import { memoryBlobStore } from "@millrace/spi";
import { blobStoreContract, createNonce } from "@millrace/storage/contract.fixture";
import { faultyStore, type StoreFaults } from "@millrace/testkit";
import { expect, test } from "vitest";

/** Time goes on by being asked for, so that nobody waits. */
function hurried(seed: number): Platform {
  let state = seed;
  let now = 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
  return {
    clock: {
      now: () => now,
      monotonic: () => {
        now += 5;
        return now;
      },
    },
    timers: {
      after(_, fn) {
        const timer = setImmediate(fn);
        return () => clearImmediate(timer);
      },
      soon: (fn) => void setImmediate(fn),
    },
    random: {
      next,
      hex: (bytes) =>
        next()
          .toString(16)
          .padEnd(bytes * 2, "0"),
    },
  };
}
const faults: StoreFaults = {
  delayMs: 10,
  failed: 0.15,
  lost: 0.15,
  late: 0,
  lateMs: 0,
  lagging: 0.3,
};

blobStoreContract({
  name: "faulty",
  faulty: true,
  async makeStore() {
    const truth = memoryBlobStore();
    const open = (seed: number) => faultyStore(truth, hurried(seed), () => faults);
    const store = open(1);
    return { store, another: async () => open(2), close: () => store.close() };
  },
});

test("FLT-1: with failed, lost and late creates one of 20 racers is the owner, and all know whose it is", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const platform = hurried(seed);
    const truth = memoryBlobStore();
    const late = { ...faults, failed: 0.2, lost: 0.3, late: 0.3, lateMs: 50 };
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const store = faultyStore(truth, platform, () => late);
        return createNonce(store, "k", Uint8Array.of(i));
      }),
    );
    const kept = (await truth.get("k"))?.[0];
    expect(outcomes.map(({ own }, i) => (own ? i : -1)).filter((i) => i >= 0)).toEqual([kept]);
    for (const { found } of outcomes) expect(found).toEqual(Uint8Array.of(kept ?? 255));
  }
});
