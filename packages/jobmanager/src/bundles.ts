/**
 * Uploaded bundles in the cluster's store, named by their content: the same bundle twice is one object.
 *
 * BUN-1  `bundles/<sha256>` holds the module, `bundles/<sha256>.json` its description; the description is written last, deleted first.
 * BUN-2  A bundle is deleted when no job that is shown or on its way was submitted with it, and nobody has uploaded it or asked for it
 *        for as long as an ended job is shown; by the leader alone. Where it is not known of every job, nothing is deleted.
 */
import { createHash } from "node:crypto";
import type { Clock } from "@millrace/base";
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
  readonly #clock: Clock;
  /** When a bundle was last uploaded, asked for or first found here; forgotten with the next sweep after `keepMs`. */
  readonly #used = new Map<string, number>();
  readonly #deleting = new Map<string, Promise<void>>();

  constructor(store: BlobStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }
  async add(bytes: Uint8Array, name: string): Promise<BundleInfo> {
    if (bytes.length > maxBundleBytes)
      throw fail("BUNDLE_TOO_LARGE", {
        fields: { sizeBytes: bytes.length, maxBytes: maxBundleBytes },
      });
    const id = createHash("sha256").update(bytes).digest("hex");
    const info: BundleInfo = {
      id,
      name,
      uploaded: this.#clock.now(),
      sizeBytes: bytes.length,
    };
    await this.#use(id);
    await this.#store.create(bundleKey(id), bytes);
    await this.#store.put(infoKey(id), Buffer.from(JSON.stringify(info)));
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
    if (!/^[0-9a-f]{64}$/.test(id)) throw fail("BUNDLE_NOT_FOUND", { fields: { bundle: id } });
    await this.#use(id);
    if ((await this.#store.get(infoKey(id))) === undefined)
      throw fail("BUNDLE_NOT_FOUND", { fields: { bundle: id } });
    return bundleKey(id);
  }

  /** Deletes what is of no use any more (BUN-2); answers the ids. */
  async sweep(options: {
    readonly keepMs: number;
    /** Keys of bundles in use; undefined: not known. Asked for each deletion, at its moment. */
    readonly inUse: () => ReadonlySet<string> | undefined;
    readonly leads: () => Promise<boolean>;
  }): Promise<readonly string[]> {
    const ids = new Set<string>();
    for await (const { key } of this.#store.list("bundles/")) {
      const id = /^bundles\/([0-9a-f]{64})(\.json)?$/.exec(key)?.[1];
      if (id !== undefined) ids.add(id);
    }
    const deleted: string[] = [];
    for (const id of ids) {
      const uploaded = await this.#uploadedAt(id);
      if (!this.#used.has(id)) this.#used.set(id, uploaded ?? this.#clock.now());
      if (options.inUse()?.has(bundleKey(id)) !== false || this.#young(id, options.keepMs))
        continue;
      if (!(await options.leads())) break;
      // From here to the deletion nothing comes between: who wants the bundle now waits, and then finds it gone.
      if (options.inUse()?.has(bundleKey(id)) !== false || this.#young(id, options.keepMs))
        continue;
      await this.#delete(id);
      deleted.push(id);
    }
    for (const id of this.#used.keys()) if (!this.#young(id, options.keepMs)) this.#used.delete(id);
    return deleted;
  }

  #young(id: string, keepMs: number): boolean {
    return this.#clock.now() - (this.#used.get(id) ?? 0) < keepMs;
  }
  async #use(id: string): Promise<void> {
    this.#used.set(id, this.#clock.now());
    await this.#deleting.get(id)?.catch(() => {});
  }
  async #delete(id: string): Promise<void> {
    // Known before it begins.
    const deleting = Promise.resolve().then(async () => {
      await this.#store.delete([infoKey(id)]);
      await this.#store.delete([bundleKey(id)]);
    });
    this.#deleting.set(id, deleting);
    await deleting.finally(() => this.#deleting.delete(id));
  }
  async #uploadedAt(id: string): Promise<number | undefined> {
    const bytes = await this.#store.get(infoKey(id));
    try {
      const info = JSON.parse(Buffer.from(bytes ?? []).toString("utf8")) as Partial<BundleInfo>;
      return typeof info.uploaded === "number" ? info.uploaded : undefined;
    } catch {
      return undefined;
    }
  }
}

function bundleKey(id: string): string {
  return `bundles/${id}`;
}
function infoKey(id: string): string {
  return `bundles/${id}.json`;
}
