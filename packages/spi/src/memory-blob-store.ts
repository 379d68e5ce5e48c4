/** A store in memory: for jobs run in one process, and for tests. */
import type { BlobStore } from "./blob-store.ts";

export function memoryBlobStore(): BlobStore {
  const objects = new Map<string, Uint8Array>();
  return {
    location: "memory:",
    async create(key, bytes) {
      if (objects.has(key)) return "exists";
      objects.set(key, bytes.slice());
      return "created";
    },
    async put(key, bytes) {
      objects.set(key, bytes.slice());
    },
    async get(key) {
      return objects.get(key)?.slice();
    },
    async getRange(key, from, to) {
      return objects.get(key)?.slice(from, to);
    },
    async *list(prefix) {
      for (const key of [...objects.keys()]
        .filter((candidate) => candidate.startsWith(prefix))
        .sort()) {
        const object = objects.get(key);
        if (object !== undefined) yield { key, sizeBytes: object.length };
      }
    },
    async delete(keys) {
      for (const key of keys) objects.delete(key);
    },
    async close() {},
  };
}
