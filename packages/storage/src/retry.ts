/**
 * Repeats calls of which a second one does no harm.
 *
 * RTY-1  Only what failed with `retry: "backoff"` is repeated, a bounded number of times; the last error is the caller's.
 * RTY-2  Never a create: a repeated one could be answered by our own first (BLB-3). Who creates tells by a nonce.
 */
import { isMillraceError } from "@millrace/base";

export interface RetryOptions {
  /** Calls in all. */
  readonly attempts: number;
  /** Doubles from call to call; half of it is left to chance, so that many callers don't come back together. */
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
  /** No further call after that long; default 45,000: else a server that hangs is waited for once per call. */
  readonly giveUpAfterMs?: number;
}

export async function retrying<T>(options: RetryOptions, call: () => Promise<T>): Promise<T> {
  const end = performance.now() + (options.giveUpAfterMs ?? 45_000);
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const last = attempt >= options.attempts || performance.now() > end;
      if (!isMillraceError(error) || error.retry !== "backoff" || last) throw error;
    }
    const pauseMs = Math.min(options.maxPauseMs, options.firstPauseMs * 2 ** (attempt - 1));
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
  }
}
