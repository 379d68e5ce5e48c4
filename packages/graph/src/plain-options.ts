/** The options of a job that asks for nothing: one attempt, and a checkpoint a second once there is something to take one of. */
import type { JobOptions } from "./model.ts";

export const plainOptions: JobOptions = {
  name: "job",
  parallelism: 1,
  bufferTimeoutMs: 5,
  autoWatermarkIntervalMs: 200,
  requireTypes: false,
  checkpoint: {
    intervalMs: 1_000,
    timeoutMs: 1_000,
    minPauseMs: 0,
    tolerableFailures: 0,
    commitTimeoutMs: 600_000,
    retained: 1,
    mode: "exactly-once",
    onCancel: "retain",
    onFailure: "retain",
  },
  restart: {
    strategy: "none",
    attempts: 0,
    delayMs: 0,
    maxDelayMs: 0,
    multiplier: 1,
    jitter: 0,
    resetAfterMs: 0,
    failureRateIntervalMs: 0,
  },
};
