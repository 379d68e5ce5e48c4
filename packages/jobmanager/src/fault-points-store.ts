/**
 * The store of a JobManager that a test makes die or freeze at named points: all that it does to the world is a call to its store.
 *
 *   epoch, claim, attempt, checkpoint, committed, terminal   an entry is created       manifest   a manifest is written
 *
 * each with ".before" and ".after".
 */
import { decodeEntry, parseLogSlot } from "@millrace/checkpoint";
import type { BlobStore } from "@millrace/spi";

export function faultPointsStore(store: BlobStore, faultPoint: (name: string) => void): BlobStore {
  return {
    location: store.location,
    get: (key) => store.get(key),
    getRange: (key, from, to) => store.getRange(key, from, to),
    list: (prefix) => store.list(prefix),
    delete: (keys) => store.delete(keys),
    close: () => store.close(),
    async create(key, bytes) {
      const name =
        parseLogSlot(key) !== undefined
          ? decodeEntry(bytes).kind
          : key.startsWith("epochs/")
            ? "epoch"
            : "other";
      faultPoint(`${name}.before`);
      const result = await store.create(key, bytes);
      faultPoint(`${name}.after`);
      return result;
    },
    async put(key, bytes) {
      const name = key.endsWith("/manifest") ? "manifest" : "other";
      faultPoint(`${name}.before`);
      const result = await store.put(key, bytes);
      faultPoint(`${name}.after`);
      return result;
    },
  };
}
