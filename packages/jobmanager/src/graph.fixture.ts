/** A job graph as it comes over REST: one vertex of one operator. */
export const graph = {
  formatVersion: 1,
  options: {
    name: "job",
    parallelism: 1,
    bufferTimeoutMs: 5,
    autoWatermarkIntervalMs: 200,
    requireTypes: false,
    checkpoint: {
      intervalMs: 1000,
      timeoutMs: 1000,
      minPauseMs: 0,
      tolerableFailures: 0,
      retained: 1,
      mode: "exactly-once",
      onCancel: "retain",
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
  },
  vertices: [
    {
      id: "v0",
      name: "source",
      parallelism: 1,
      maxParallelism: 128,
      slotSharingGroup: "default",
      role: "task",
      operators: [],
    },
  ],
  edges: [],
  digest: "0",
};
