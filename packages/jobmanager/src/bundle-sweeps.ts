/** Now and then deletes the bundles that nothing needs any more, while this JobManager leads. A sweep that fails is made up for by the next. */
import { type Cancel, errorInfo, type Logger, type Platform } from "@millrace/base";
import type { Coordinator } from "@millrace/coordinator";
import type { Bundles } from "./bundles.ts";

/** A bundle lies there for a job's life and an hour: to be ten minutes late is nothing. */
const intervalMs = 600_000;

export function startBundleSweeps(context: {
  readonly bundles: Bundles;
  readonly coordinator: Coordinator;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly keepMs: number;
}): Cancel {
  const { bundles, coordinator, platform, logger, keepMs } = context;
  let over = false;
  let cancel: Cancel | undefined;
  const sweep = async () => {
    try {
      const deleted = await bundles.sweep({
        keepMs,
        inUse: () => coordinator.bundlesInUse,
        leads: () => coordinator.leads(),
      });
      if (deleted.length > 0) logger.info("bundles deleted", { count: deleted.length });
    } catch (error) {
      logger.warn("bundles could not be deleted", { error: errorInfo(error).message });
    }
    later();
  };
  const later = () => {
    if (!over)
      cancel = platform.timers.after(Math.min(intervalMs, keepMs), () => {
        void sweep();
      });
  };
  later();
  return () => {
    over = true;
    cancel?.();
  };
}
