/** One vertex of one map: the smallest graph that can be submitted. */
import { chainGraph, type JobGraph, plainOptions } from "@millrace/graph";

export const simpleGraph: JobGraph = chainGraph({
  formatVersion: 1,
  options: { ...plainOptions, name: "simple" },
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
