/** The store as it is, below every fault, seen by the worlds at each effect. */
import { parseLogSlot } from "@millrace/checkpoint";
import type { BlobStore } from "@millrace/spi";
import type { World } from "./world.ts";

export function watchedStore(
  store: BlobStore,
  worldOf: (key: string) => World | undefined,
): BlobStore {
  return {
    ...store,
    async create(key, bytes) {
      const result = await store.create(key, bytes);
      const slot = parseLogSlot(key);
      if (result === "created" && slot !== undefined)
        await worldOf(key)?.entered(slot, bytes, store);
      return result;
    },
  };
}

/** The same, as a leader reaches it: what it deletes is checked against its epoch (SIM-9). */
export function deletionsWatched(
  store: BlobStore,
  epoch: () => number,
  worldOf: (key: string) => World | undefined,
): BlobStore {
  return {
    ...store,
    async delete(keys) {
      for (const key of keys) worldOf(key)?.deleted([key], epoch());
      await store.delete(keys);
    },
  };
}
