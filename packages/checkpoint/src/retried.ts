/** Reading has no effect, so it may be repeated freely: until the store answers, or says that it never will. */
import { isMillraceError, type Platform, sleep } from "@millrace/base";

export async function retried<T>(platform: Platform, read: () => Promise<T>): Promise<T> {
  for (let pauseMs = 10; ; pauseMs = Math.min(1_000, pauseMs * 2)) {
    try {
      return await read();
    } catch (error) {
      if (!isMillraceError(error) || error.retry !== "backoff") throw error;
    }
    await sleep(platform.timers, pauseMs);
  }
}
