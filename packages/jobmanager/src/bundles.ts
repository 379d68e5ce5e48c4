/**
 * Uploaded bundles in the cluster's store, named by their content: the same bundle twice is one object.
 *
 * BUN-1  `bundles/<sha256>` holds the module, `bundles/<sha256>.json` its description; the description is written last.
 */
import { createHash } from "node:crypto";
import type { BlobStore } from "@millrace/spi";
import { fail } from "./fail.ts";

export interface BundleInfo {
  readonly id: string;
  readonly name: string;
  readonly uploaded: number;
  readonly sizeBytes: number;
}

/** Upload limit; a bundle is code, and esbuild's output of a large job is below 2 MB. */
export const maxBundleBytes = 64 * 1024 * 1024;

export class Bundles {
  readonly #store: BlobStore;

  constructor(store: BlobStore) {
    this.#store = store;
  }
  async add(bytes: Uint8Array, name: string, now: number): Promise<BundleInfo> {
    if (bytes.length > maxBundleBytes)
      throw fail("BUNDLE_TOO_LARGE", {
        fields: { sizeBytes: bytes.length, maxBytes: maxBundleBytes },
      });
    const id = createHash("sha256").update(bytes).digest("hex");
    const info: BundleInfo = { id, name, uploaded: now, sizeBytes: bytes.length };
    await this.#store.create(bundleKey(id), bytes);
    await this.#store.put(`${bundleKey(id)}.json`, Buffer.from(JSON.stringify(info)));
    return info;
  }
  async list(): Promise<readonly BundleInfo[]> {
    const infos: BundleInfo[] = [];
    for await (const { key } of this.#store.list("bundles/")) {
      if (!key.endsWith(".json")) continue;
      const bytes = await this.#store.get(key);
      if (bytes !== undefined)
        infos.push(JSON.parse(Buffer.from(bytes).toString("utf8")) as BundleInfo);
    }
    return infos;
  }
  /** Key of an uploaded bundle. Rejects `BUNDLE_NOT_FOUND`. */
  async keyOf(id: string): Promise<string> {
    if (
      !/^[0-9a-f]{64}$/.test(id) ||
      (await this.#store.get(`${bundleKey(id)}.json`)) === undefined
    ) {
      throw fail("BUNDLE_NOT_FOUND", { fields: { bundle: id } });
    }
    return bundleKey(id);
  }
}

function bundleKey(id: string): string {
  return `bundles/${id}`;
}
