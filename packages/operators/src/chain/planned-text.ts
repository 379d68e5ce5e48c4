/** The code that a chain will run as, from the graph alone: no operator is made, no user code called. */
import type { ChainedOperator, JobGraph, JobVertex } from "@millrace/graph";
import { operatorDefinition } from "../registry.ts";
import { type ChainOperatorShape, generateChainText } from "./source-text.ts";

/** Of subtask 0, which differs from the others in its first line only. */
export function plannedChainCode(graph: JobGraph, vertex: JobVertex): string {
  const exits = (operator: number) =>
    graph.edges.filter(
      ({ from, fromOperator, side }) =>
        from === vertex.id && fromOperator === operator && side === undefined,
    ).length;
  return generateChainText({
    jobName: graph.options.name,
    subtask: 0,
    operators: vertex.operators.map((operator, i) => shapeOf(operator, exits(i))),
  }).code;
}

function shapeOf(operator: ChainedOperator, exits: number): ChainOperatorShape {
  const { inputs, inlines, polls } = operatorDefinition(operator.kind);
  const inline = operator.onError.kind === "fail" && inlines !== "flatMap" ? inlines : undefined;
  return {
    uid: operator.uid,
    reads: operator.reads,
    inputs,
    exits,
    exitsTakeMany: true,
    inline,
    fields:
      inline === "filterPresent"
        ? (operator.config as { readonly fields: readonly string[] }).fields
        : [],
    emitsBatches: polls === true,
  };
}
