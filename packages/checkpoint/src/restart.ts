/** Restart strategies (REC-01). Pure; times are monotonic ms. */
import type { Random } from "@millrace/base";
import type { RestartOptions } from "@millrace/graph";

export interface RestartStrategy {
  /** An attempt failed: restart after a delay, or not at all. */
  failed(now: number): "no" | { readonly delayMs: number };
  /** All tasks of an attempt run. */
  running(now: number): void;
}

export function createRestartStrategy(options: RestartOptions, random: Random): RestartStrategy {
  let failures: number[] = [];
  let attempts = 0;
  let delayMs = options.delayMs;
  let runningSince: number | undefined;
  return {
    running(now) {
      runningSince = now;
    },
    failed(now) {
      const stable = runningSince !== undefined && now - runningSince >= options.resetAfterMs;
      runningSince = undefined;
      switch (options.strategy) {
        case "none":
          return "no";
        case "fixed-delay":
          attempts += 1;
          return attempts > options.attempts ? "no" : { delayMs: options.delayMs };
        case "failure-rate":
          failures = [...failures.filter((at) => now - at < options.failureRateIntervalMs), now];
          return failures.length > options.attempts ? "no" : { delayMs: options.delayMs };
        case "exponential-delay": {
          if (stable) {
            delayMs = options.delayMs;
            attempts = 0;
          }
          attempts += 1;
          if (attempts > options.attempts) return "no";
          const jitter = 1 + (random.next() * 2 - 1) * options.jitter;
          const delay = Math.min(options.maxDelayMs, delayMs) * jitter;
          delayMs = Math.min(options.maxDelayMs, delayMs * options.multiplier);
          return { delayMs: delay };
        }
      }
    },
  };
}

/** For a job that ends with something left to commit: how often that alone is tried, and how far apart. */
export const commitRestarts: RestartOptions = {
  strategy: "exponential-delay",
  attempts: 10,
  delayMs: 200,
  maxDelayMs: 5_000,
  multiplier: 2,
  jitter: 0.1,
  resetAfterMs: 3_600_000,
  failureRateIntervalMs: 60_000,
};
