/**
 * The type of what reaches an operator's input: the smallest that accepts what any of its edges brings, side outputs included. Chains,
 * checks, plans and the builder's own streams all ask here.
 *
 * ITY-1  Equal types stay as declared; numbers of different width, nullable and missing fields widen; an edge without a type leaves none.
 */
import { joinTypes, type TypeNode, unknownType } from "@millrace/data";
import type { LogicalEdge, LogicalNode } from "./model.ts";

/** A graph, finished or still being built. */
export interface TypedGraph {
  readonly nodes: readonly Pick<LogicalNode, "outputType" | "sideOutputs">[];
  readonly edges: readonly Pick<LogicalEdge, "from" | "to" | "input" | "side">[];
}

/** Without `input`: of both together, which is what a dead letter may be. */
export function inputTypeOf(graph: TypedGraph, node: number, input?: 0 | 1): TypeNode {
  return commonType(
    graph.edges
      .filter((edge) => edge.to === node && (input === undefined || edge.input === input))
      .map((edge) => edgeType(graph, edge)),
  );
}

export function edgeType(graph: TypedGraph, edge: Pick<LogicalEdge, "from" | "side">): TypeNode {
  const producer = graph.nodes[edge.from];
  if (producer === undefined) return unknownType;
  return edge.side === undefined
    ? producer.outputType
    : (producer.sideOutputs[edge.side] ?? unknownType);
}

export function commonType(types: readonly TypeNode[]): TypeNode {
  const [first, ...rest] = types;
  if (first === undefined) return unknownType;
  return rest.reduce<TypeNode>(
    (common, type) =>
      JSON.stringify(common) === JSON.stringify(type) ? common : joinTypes(common, type),
    first,
  );
}
