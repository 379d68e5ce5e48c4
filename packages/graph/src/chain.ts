/**
 * From the logical graph to the job graph: parallelism, hidden vertices, partitioning, chains. Pure and deterministic.
 *
 * CHN-1  Two operators are chained when the edge is forward, parallelism and slot-sharing group are equal, the target has one input
 *        edge, and chaining is allowed at both ends (OPS-02). A chain is a tree: side outputs and several readers stay in it.
 * CHN-2  An implicit forward between different parallelisms becomes rebalance; an explicit one is refused (`GRAPH_FORWARD_MISMATCH`).
 * CHN-3  Every source is a hidden enumerator and a reader; every two-phase sink a writer and a hidden committer.
 * CHN-4  Vertex ids follow a topological order that depends on the graph alone.
 * CHN-5  A vertex has the key groups of its head: only a head is keyed, and what follows it in the chain must not change where keys live.
 */
import { defaultMaxParallelism, unknownType } from "@millrace/data";
import { digestOf } from "./digest.ts";
import { fail } from "./fail.ts";
import { edgeType, inputTypeOf } from "./input-type.ts";
import type {
  ChainedOperator,
  JobEdge,
  JobGraph,
  JobVertex,
  LogicalEdge,
  LogicalGraph,
  LogicalNode,
  Partitioning,
} from "./model.ts";

interface Node {
  readonly logical: LogicalNode;
  readonly parallelism: number;
  readonly maxParallelism: number;
}
interface Edge {
  readonly logical: LogicalEdge;
  readonly partitioning: Partitioning;
  readonly chained: boolean;
}

/** Throws `GRAPH_FORWARD_MISMATCH`, `GRAPH_BAD_PARALLELISM`. */
export function chainGraph(graph: LogicalGraph): JobGraph {
  const nodes = graph.nodes.map((logical): Node => resolve(graph, logical));
  const nodeOf = (id: number): Node => {
    const node = nodes[id];
    if (node === undefined) throw new RangeError(`no node ${id}`);
    return node;
  };
  const edges = graph.edges.map((logical): Edge => decideEdge(graph, logical, nodeOf));
  const head = headsOf(nodes, edges);
  const vertices: JobVertex[] = [];
  const jobEdges: JobEdge[] = [];
  const vertexOf = new Map<number, { readonly id: string; readonly operator: number }>();
  const addEdge = (edge: Omit<JobEdge, "id">) =>
    jobEdges.push({ id: `e${jobEdges.length}`, ...edge });
  for (const node of nodes) {
    if (head.get(node.logical.id) !== node.logical.id) continue;
    const members = nodes.filter((candidate) => head.get(candidate.logical.id) === node.logical.id);
    const enumerator = node.logical.kind === "source" ? addEnumerator(vertices, node) : undefined;
    const id = `v${vertices.length}`;
    members.forEach((member, operator) => {
      vertexOf.set(member.logical.id, { id, operator });
    });
    vertices.push({
      id,
      name: members.map((member) => member.logical.name).join(" -> "),
      parallelism: node.parallelism,
      maxParallelism: node.maxParallelism,
      slotSharingGroup: node.logical.slotSharingGroup,
      role: "task",
      operators: members.map((member) => chainedOperator(member, members, edges, graph)),
    });
    if (enumerator !== undefined) {
      addEdge({
        from: enumerator,
        fromOperator: 0,
        to: id,
        input: 0,
        partitioning: "assign",
        functionsUid: node.logical.uid,
        type: unknownType,
        bufferTimeoutMs: 0,
      });
    }
    members.forEach((member, operator) => {
      if (member.logical.sink?.kind !== "two-phase") return;
      const committer = addCommitter(vertices, member);
      addEdge({
        from: id,
        fromOperator: operator,
        to: committer,
        input: 0,
        partitioning: "global",
        functionsUid: member.logical.uid,
        type: unknownType,
        bufferTimeoutMs: 0,
      });
    });
  }
  for (const { logical, partitioning, chained } of edges) {
    if (chained) continue;
    const from = vertexOf.get(logical.from);
    const to = vertexOf.get(logical.to);
    if (from === undefined || to === undefined) throw new RangeError("edge without vertex");
    const producer = nodeOf(logical.from).logical;
    addEdge({
      from: from.id,
      fromOperator: from.operator,
      to: to.id,
      input: logical.input,
      partitioning,
      functionsUid: nodeOf(logical.to).logical.uid,
      type: edgeType(graph, logical),
      bufferTimeoutMs: producer.bufferTimeoutMs ?? graph.options.bufferTimeoutMs,
      ...(logical.side === undefined ? {} : { side: logical.side }),
      ...(logical.key === undefined ? {} : { key: logical.key }),
      ...(logical.custom === undefined ? {} : { custom: logical.custom }),
    });
  }
  return {
    formatVersion: 1,
    options: graph.options,
    vertices: topological(vertices, jobEdges),
    edges: jobEdges,
    digest: digestOf(graph),
  };
}

function resolve(graph: LogicalGraph, logical: LogicalNode): Node {
  const parallelism = logical.parallelism ?? graph.options.parallelism;
  const maxParallelism =
    logical.maxParallelism ?? graph.options.maxParallelism ?? defaultMaxParallelism(parallelism);
  if (!Number.isInteger(parallelism) || parallelism < 1 || parallelism > maxParallelism) {
    throw fail("GRAPH_BAD_PARALLELISM", {
      fields: { operator: logical.name, parallelism, maxParallelism, at: logical.at ?? "" },
    });
  }
  return { logical, parallelism, maxParallelism };
}

function decideEdge(graph: LogicalGraph, logical: LogicalEdge, nodeOf: (id: number) => Node): Edge {
  const from = nodeOf(logical.from);
  const to = nodeOf(logical.to);
  const same = from.parallelism === to.parallelism;
  if (logical.partitioning === "forward" && !same && logical.explicit === true) {
    throw fail("GRAPH_FORWARD_MISMATCH", {
      fields: {
        from: from.logical.name,
        fromParallelism: from.parallelism,
        to: to.logical.name,
        toParallelism: to.parallelism,
        at: to.logical.at ?? "",
      },
    });
  }
  const partitioning =
    logical.partitioning === "forward" && !same ? "rebalance" : logical.partitioning;
  const inputs = graph.edges.filter((edge) => edge.to === logical.to).length;
  const chained =
    partitioning === "forward" &&
    inputs === 1 &&
    to.logical.kind !== "source" &&
    from.logical.slotSharingGroup === to.logical.slotSharingGroup &&
    from.logical.chaining !== "never" &&
    to.logical.chaining === "always";
  return { logical, partitioning, chained };
}

/** Node id → id of the node at the head of its chain. Nodes come in the order of creation, so a producer is before its readers. */
function headsOf(nodes: readonly Node[], edges: readonly Edge[]): ReadonlyMap<number, number> {
  const head = new Map<number, number>();
  for (const { logical } of nodes) {
    const into = edges.find((edge) => edge.logical.to === logical.id && edge.chained);
    head.set(
      logical.id,
      into === undefined ? logical.id : (head.get(into.logical.from) ?? into.logical.from),
    );
  }
  return head;
}

function chainedOperator(
  node: Node,
  members: readonly Node[],
  edges: readonly Edge[],
  graph: LogicalGraph,
): ChainedOperator {
  const { logical } = node;
  const into = edges.filter((edge) => edge.logical.to === logical.id);
  const chained = into.find((edge) => edge.chained);
  const inputs = Math.max(1, ...into.map((edge) => edge.logical.input + 1));
  const keys = Array.from(
    { length: inputs },
    (_, input) => into.find((edge) => edge.logical.input === input)?.logical.key ?? null,
  );
  const types = Array.from({ length: inputs }, (_, input) =>
    inputTypeOf(graph, logical.id, input as 0 | 1),
  );
  return {
    uid: logical.uid,
    functionsUid: logical.uid,
    name: logical.name,
    kind: logical.kind,
    config: logical.config,
    functions: logical.functions,
    inputTypes: types,
    outputType: logical.outputType,
    sideOutputs: logical.sideOutputs,
    onError: logical.onError,
    keys,
    reads:
      chained === undefined
        ? { operator: -1 }
        : {
            operator: members.findIndex((member) => member.logical.id === chained.logical.from),
            ...(chained.logical.side === undefined ? {} : { side: chained.logical.side }),
          },
  };
}

function hidden(node: Node, role: "enumerator" | "committer", kind: string): Omit<JobVertex, "id"> {
  const { logical } = node;
  return {
    name: `${logical.name} (${role})`,
    parallelism: 1,
    maxParallelism: node.maxParallelism,
    slotSharingGroup: logical.slotSharingGroup,
    role,
    operators: [
      {
        uid: `${logical.uid}/${role}`,
        functionsUid: logical.uid,
        name: `${logical.name} (${role})`,
        kind,
        config: role === "enumerator" ? { readers: node.parallelism } : {},
        functions: logical.functions,
        inputTypes: [unknownType],
        outputType: unknownType,
        sideOutputs: {},
        onError: { kind: "fail" },
        keys: [null],
        reads: { operator: -1 },
      },
    ],
  };
}
function addEnumerator(vertices: JobVertex[], node: Node): string {
  const id = `v${vertices.length}`;
  vertices.push({ id, ...hidden(node, "enumerator", "source-enumerator") });
  return id;
}
function addCommitter(vertices: JobVertex[], node: Node): string {
  const id = `v${vertices.length}`;
  vertices.push({ id, ...hidden(node, "committer", "sink-committer") });
  return id;
}

/** Kahn's order, smallest position first, so that equal graphs have equal orders. */
function topological(
  vertices: readonly JobVertex[],
  edges: readonly JobEdge[],
): readonly JobVertex[] {
  const waiting = new Map(
    vertices.map((vertex) => [vertex.id, edges.filter((edge) => edge.to === vertex.id).length]),
  );
  const order: JobVertex[] = [];
  while (order.length < vertices.length) {
    const next = vertices.find((vertex) => waiting.get(vertex.id) === 0);
    if (next === undefined) throw new RangeError("the graph has a cycle");
    waiting.delete(next.id);
    order.push(next);
    for (const edge of edges)
      if (edge.from === next.id) waiting.set(edge.to, (waiting.get(edge.to) ?? 0) - 1);
  }
  return order;
}
