/**
 * Leader epochs: `epochs/<e>` is created once and never deleted; whoever creates the highest one leads.
 *
 * EPO-1  An epoch is won by create-if-absent only, and before anything else of the store is read (rule 1).
 * EPO-2  An answer that did not come is asked for again with the same nonce: unknown is not failed (rule 4).
 * EPO-3  Presence is looked at by `get`, never by `list`.
 */
import type { Platform } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";
import { highestPresent } from "./dense.ts";
import { epochName } from "./object-names.ts";
import { createOwn } from "./own-object.ts";
import { retried } from "./retried.ts";

/** Wins the next epoch. */
export async function winEpoch(store: BlobStore, platform: Platform): Promise<number> {
  let epoch = (await highestEpoch(store, platform)) + 1;
  const nonce = platform.random.hex(16);
  const bytes = new TextEncoder().encode(JSON.stringify({ nonce, at: platform.clock.now() }));
  while (!(await createOwn({ store, platform, key: epochName(epoch), bytes })).own) epoch += 1;
  return epoch;
}

/** 0 when nobody has led yet. Epochs leave no number out, so that few gets find it. */
export async function highestEpoch(store: BlobStore, platform: Platform): Promise<number> {
  const present = async (epoch: number) =>
    (await retried(platform, () => store.get(epochName(epoch)))) !== undefined;
  return await highestPresent(present, 1);
}

/** False as soon as a higher epoch exists: whoever sees that ends itself. */
export async function isEpochCurrent(store: BlobStore, epoch: number): Promise<boolean> {
  return (await store.get(epochName(epoch + 1))) === undefined;
}
