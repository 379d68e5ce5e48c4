/**
 * Create-if-absent with a certain answer: repeated until the store has said "created", or "exists" and the content has been read back.
 *
 * OWN-1  Unknown is not failed: after a lost answer the identical create is repeated; the content (which holds a nonce) tells our object
 *        from another's.
 */
import { isMillraceError, type Platform, sleep } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";

const firstPauseMs = 10;
const maxPauseMs = 1_000;

export interface OwnObject {
  readonly store: BlobStore;
  readonly platform: Platform;
  readonly key: string;
  /** Must differ between writers: it holds a nonce. */
  readonly bytes: Uint8Array;
  readonly signal?: AbortSignal;
}

/** `own`: the object there is ours. Else `found` is the other's. Rejects only on an error that repeating can't mend, or when aborted. */
export async function createOwn(
  object: OwnObject,
): Promise<{ readonly own: true } | { readonly own: false; readonly found: Uint8Array }> {
  const { store, platform, key, bytes } = object;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
    object.signal?.throwIfAborted();
    try {
      if ((await store.create(key, bytes)) === "created") return { own: true };
      const found = await store.get(key);
      // "exists", then nothing: a lagging read, or somebody deletes what must never be deleted; asking again is right for the first.
      if (found !== undefined) return equal(found, bytes) ? { own: true } : { own: false, found };
    } catch (error) {
      if (!isMillraceError(error) || error.retry !== "backoff") throw error;
    }
    await sleep(platform.timers, pauseMs, object.signal);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
