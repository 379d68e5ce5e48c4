/**
 * Which operators take whole records, and which name the fields that they need.
 *
 * ACC-1  An operator that passes records on (`filterPresent`, timestamps by a field) needs as much of them as what follows in its chain.
 */
import type { ChainedOperator, JobEdge, JobGraph } from "./model.ts";

export type Access = "columns" | "objects";

export function accessOfOperator(operator: ChainedOperator): Access {
  return accessOf(operator) === "objects" ? "objects" : "columns";
}

export function accessOfEdge(graph: JobGraph, edge: JobEdge): Access {
  if (edge.custom !== undefined || (edge.key !== undefined && "function" in edge.key))
    return "objects";
  const operators = graph.vertices.find((vertex) => vertex.id === edge.to)?.operators ?? [];
  return needed(operators, 0);
}

function needed(operators: readonly ChainedOperator[], at: number): Access {
  const operator = operators[at];
  const access = operator === undefined ? "objects" : accessOf(operator);
  if (access !== "passes") return access;
  const readers = operators.flatMap(({ reads }, i) =>
    reads.operator === at && reads.side === undefined ? [i] : [],
  );
  return readers.some((reader) => needed(operators, reader) === "objects") ? "objects" : "columns";
}

function accessOf(operator: ChainedOperator): Access | "passes" {
  switch (operator.kind) {
    case "filterPresent":
      return "passes";
    case "timestamps":
      return operator.functions.length === 0 ? "passes" : "objects";
    case "rolling":
      return keyed(operator);
    case "window": {
      const { fn } = operator.config as { readonly fn: { readonly kind: string } };
      return fn.kind === "columns" ? keyed(operator) : "objects";
    }
    default:
      return "objects";
  }
}

/** Keyed by a function, an operator takes the record once more than its edge did. */
function keyed(operator: ChainedOperator): Access {
  return operator.keys.every((key) => key === null || key === undefined || "fields" in key)
    ? "columns"
    : "objects";
}
