/** A job graph as it comes over REST: one vertex of one operator. */
import { type JobGraph, plainOptions } from "@millrace/graph";

export const graph: JobGraph = {
  formatVersion: 1,
  options: plainOptions,
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
