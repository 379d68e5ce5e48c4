/** Graphs written by hand, as short as they can be. */
import { type TypeNode, unknownType } from "@millrace/data";
import { chainGraph } from "./chain.ts";
import type { JobGraph, JobOptions, LogicalEdge, LogicalGraph, LogicalNode } from "./model.ts";

export const options: JobOptions = {
  name: "job",
  parallelism: 1,
  bufferTimeoutMs: 5,
  autoWatermarkIntervalMs: 200,
  requireTypes: false,
  checkpoint: {
    intervalMs: 10_000,
    timeoutMs: 600_000,
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
    attempts: 1,
    delayMs: 1,
    maxDelayMs: 1,
    multiplier: 1,
    jitter: 0,
    resetAfterMs: 1,
    failureRateIntervalMs: 1,
  },
};
export const row: TypeNode = {
  kind: "object",
  fields: [
    { name: "k", type: { kind: "string" } },
    { name: "v", type: { kind: "int32" } },
  ],
};

export type NodeParts = Partial<LogicalNode> & { readonly kind: string };
/** [from, to, and what is not an ordinary forward]. */
export type EdgeParts = readonly [number, number, Partial<LogicalEdge>?];

export function graphOf(
  nodes: readonly NodeParts[],
  edges: readonly EdgeParts[],
  changed: Partial<JobOptions> = {},
): LogicalGraph {
  return {
    formatVersion: 1,
    options: { ...options, ...changed },
    nodes: nodes.map(
      (parts, id): LogicalNode => ({
        id,
        uid: `${parts.kind}${id}`,
        uidFrom: "user",
        name: parts.kind,
        config: parts.kind === "source" ? { watermarks: { kind: "none" } } : {},
        functions: [],
        outputType: unknownType,
        sideOutputs: {},
        chaining: "always",
        slotSharingGroup: "default",
        onError: { kind: "fail" },
        at: `job.ts:${id + 1}:1`,
        ...(parts.kind === "sink"
          ? { sink: { kind: "at-least-once" as const, describe: {} } }
          : {}),
        ...parts,
      }),
    ),
    edges: edges.map(
      ([from, to, parts]): LogicalEdge => ({
        from,
        to,
        input: 0,
        partitioning: "forward",
        ...parts,
      }),
    ),
  };
}

/** Names of the chained vertices' operators, in the graph's order; hidden vertices by their role. */
export function chainsOf(graph: LogicalGraph): readonly string[] {
  return chainGraph(graph).vertices.map((vertex) =>
    vertex.role === "task" ? vertex.operators.map(({ uid }) => uid).join("+") : vertex.role,
  );
}
export function edgesOf(job: JobGraph): readonly string[] {
  const name = (id: string) =>
    job.vertices.find((vertex) => vertex.id === id)?.operators[0]?.uid ?? "?";
  return job.edges.map((edge) => `${name(edge.from)} -${edge.partitioning}-> ${name(edge.to)}`);
}
