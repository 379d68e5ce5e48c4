/** One vertex of one map: the smallest graph that can be submitted. */
import { chainGraph, type JobGraph } from "@millrace/graph";

export const simpleGraph: JobGraph = chainGraph({
  formatVersion: 1,
  options: {
    name: "simple",
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
  },
  nodes: [
    {
      id: 0,
      uid: "map",
      uidFrom: "user",
      name: "map",
      kind: "map",
      config: {},
      functions: ["fn"],
      outputType: { kind: "unknown" },
      sideOutputs: {},
      chaining: "always",
      slotSharingGroup: "default",
      onError: { kind: "fail" },
    },
  ],
  edges: [],
});
