/**
 * Where the claims of a job's log stand: `claims/<e>` for the claim that a leader began with, `claims/<e>.<k>` for its k-th renewal.
 *
 * CLR-1  A record is written once, by create-if-absent, before its leader trims anything below it; it is never deleted.
 * CLR-2  Renewals are numbered from 1 without a gap, so the newest is found by trying (DNS-2).
 * CLR-3  A record holds a nonce: whoever finds another's in its place has not claimed.
 */
import type { Platform } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";
import { highestPresent, readAhead } from "./dense.ts";
import { fail } from "./fail.ts";
import { claimName } from "./object-names.ts";
import { createOwn } from "./own-object.ts";
import { retried } from "./retried.ts";

interface Where {
  readonly store: BlobStore;
  readonly platform: Platform;
  readonly jobId: string;
}

/** False when somebody else has recorded a claim of that number. `renewal` 0: the first claim of the epoch. */
export async function recordClaim(
  { store, platform, jobId }: Where,
  claim: { readonly epoch: number; readonly renewal: number; readonly slot: number },
): Promise<boolean> {
  const record = { slot: claim.slot, nonce: platform.random.hex(16) };
  const key = claimName(jobId, claim.epoch, claim.renewal);
  const bytes = new TextEncoder().encode(JSON.stringify(record));
  return (await createOwn({ store, platform, key, bytes })).own;
}

/** Slot of the newest recorded claim of epochs from `since` to below `below`; 0 when there is none. */
export async function recordedClaim(
  where: Where,
  epochs: { readonly since: number; readonly below: number },
): Promise<number> {
  // Nearly always the epoch before has claimed; leaders that died before they could leave a row of epochs without a record.
  for (let epoch = epochs.below - 1, width = 1; epoch >= epochs.since; width = readAhead) {
    const asked = Array.from({ length: Math.min(width, epoch - epochs.since + 1) }, (_, i) =>
      claimed(where, epoch - i, 0),
    );
    const found = (await Promise.all(asked)).findIndex((slot) => slot !== undefined);
    if (found >= 0) return await newestOf(where, epoch - found);
    epoch -= asked.length;
  }
  return 0;
}

async function newestOf(where: Where, epoch: number): Promise<number> {
  const present = async (k: number) => (await claimed(where, epoch, k)) !== undefined;
  const newest = await highestPresent(present, 1);
  return (await claimed(where, epoch, newest)) ?? 0;
}

async function claimed(
  { store, platform, jobId }: Where,
  epoch: number,
  renewal: number,
): Promise<number | undefined> {
  const key = claimName(jobId, epoch, renewal);
  const bytes = await retried(platform, () => store.get(key));
  if (bytes === undefined) return undefined;
  let slot: unknown;
  try {
    slot = (JSON.parse(new TextDecoder().decode(bytes)) as { readonly slot?: unknown }).slot;
  } catch {
    slot = undefined;
  }
  if (!Number.isSafeInteger(slot) || (slot as number) < 0)
    throw fail("CHECKPOINT_CORRUPT", { fields: { reason: "claim record", key } });
  return slot as number;
}
