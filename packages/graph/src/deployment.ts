/**
 * From a job graph and the addresses of its slots to one description per subtask. Pure.
 *
 * DEP-1  A channel is listed at both its ends, in the same way: (edge, producing subtask, consuming subtask).
 * DEP-2  forward connects equals; rescale connects neighbours; everything else connects all to all: a subtask to which `global` sends no
 *        record still has to hear of barriers, watermarks and the end.
 * DEP-3  Every subtask has a channel on each of its edges, at both ends: a gate without one would wait for ever.
 */
import type {
  Endpoint,
  InputDeployment,
  JobEdge,
  JobGraph,
  JobVertex,
  OutputDeployment,
  TaskDeployment,
} from "./model.ts";

export function expandDeployment(
  graph: JobGraph,
  endpointOf: (vertex: string, subtask: number) => Endpoint,
): readonly TaskDeployment[] {
  const vertexOf = new Map(graph.vertices.map((vertex) => [vertex.id, vertex]));
  const get = (id: string): JobVertex => {
    const vertex = vertexOf.get(id);
    if (vertex === undefined) throw new RangeError(`no vertex ${id}`);
    return vertex;
  };
  const tasks: TaskDeployment[] = [];
  for (const vertex of graph.vertices) {
    for (let subtask = 0; subtask < vertex.parallelism; subtask++) {
      const inputs = graph.edges
        .filter((edge) => edge.to === vertex.id)
        .map(
          (edge): InputDeployment => ({
            edge: edge.id,
            input: edge.input,
            partitioning: edge.partitioning,
            type: edge.type,
            channels: range(get(edge.from).parallelism)
              .filter((from) =>
                connected(edge, get(edge.from).parallelism, vertex.parallelism, from, subtask),
              )
              .map((from) => ({ subtask: from, endpoint: endpointOf(edge.from, from) })),
          }),
        );
      const outputs = graph.edges
        .filter((edge) => edge.from === vertex.id)
        .map(
          (edge): OutputDeployment => ({
            edge: edge.id,
            fromOperator: edge.fromOperator,
            partitioning: edge.partitioning,
            functionsUid: edge.functionsUid,
            type: edge.type,
            bufferTimeoutMs: edge.bufferTimeoutMs,
            consumerMaxParallelism: get(edge.to).maxParallelism,
            channels: range(get(edge.to).parallelism)
              .filter((to) =>
                connected(edge, vertex.parallelism, get(edge.to).parallelism, subtask, to),
              )
              .map((to) => ({ subtask: to, endpoint: endpointOf(edge.to, to) })),
            ...(edge.side === undefined ? {} : { side: edge.side }),
            ...(edge.key === undefined ? {} : { key: edge.key }),
            ...(edge.custom === undefined ? {} : { custom: edge.custom }),
          }),
        );
      for (const { edge, channels } of [...inputs, ...outputs])
        if (channels.length === 0)
          throw new RangeError(`${vertex.id}/${subtask} has no channel on edge ${edge}`);
      tasks.push({ vertex, subtask, inputs, outputs });
    }
  }
  return tasks;
}

function connected(
  edge: JobEdge,
  producers: number,
  consumers: number,
  from: number,
  to: number,
): boolean {
  switch (edge.partitioning) {
    case "forward":
      return from === to;
    // The larger side is cut into as many runs as the smaller has subtasks.
    case "rescale":
      return producers <= consumers
        ? Math.floor((to * producers) / consumers) === from
        : Math.floor((from * consumers) / producers) === to;
    default:
      return true;
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
