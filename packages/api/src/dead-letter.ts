/**
 * Dead letters: the side output that an error policy adds to its operator.
 *
 * DLT-1  The side carries the operator's input records, of a source the rows that it could not read. Its type is settled when building
 *        has ended, as the inputs' types are.
 * DLT-2  A side that the operator declares itself is never taken over.
 */
import { type TypeNode, typeNodeOf } from "@millrace/data";
import { type ErrorPolicy, inputTypeOf } from "@millrace/graph";
import { badRowType } from "@millrace/spi";
import { badArgument } from "./arguments.ts";
import { fail } from "./fail.ts";
import type { NodeBuilder } from "./graph-builder.ts";
import type { OnError } from "./types.ts";

export function setErrorPolicy(node: NodeBuilder, policy: OnError): void {
  const parsed = errorPolicyOf(policy);
  const { draft } = node;
  if (draft.onError.kind === "dead-letter") {
    const { [draft.onError.name]: _before, ...declared } = draft.sideOutputs;
    draft.sideOutputs = declared;
  }
  node.deadLetterType = undefined;
  draft.onError = parsed;
  if (parsed.kind !== "dead-letter") return;
  if (parsed.name in draft.sideOutputs)
    throw badArgument(
      "onError",
      policy,
      "a name that is not a side output of the operator already",
    );
  const { type } = policy as { readonly type?: unknown };
  if (type !== undefined) node.deadLetterType = typeNodeOf(type as never);
  updateDeadLetterType(node, {
    nodes: node.graph.nodes.map((other) => other.draft),
    edges: node.graph.edges,
  });
}

export function updateDeadLetterType(
  node: NodeBuilder,
  graph: Parameters<typeof inputTypeOf>[0],
): void {
  const { draft } = node;
  if (draft.onError.kind !== "dead-letter") return;
  draft.sideOutputs = {
    ...draft.sideOutputs,
    [draft.onError.name]: node.deadLetterType ?? carried(node, graph),
  };
}

function carried(node: NodeBuilder, graph: Parameters<typeof inputTypeOf>[0]): TypeNode {
  return node.draft.kind === "source" ? badRowType : inputTypeOf(graph, node.id);
}

export function errorPolicyOf(policy: unknown): ErrorPolicy {
  if (policy === "fail" || policy === "skip") return { kind: policy };
  const given = policy as { readonly retry?: number; readonly deadLetter?: string };
  if (typeof given.deadLetter === "string") return { kind: "dead-letter", name: given.deadLetter };
  if (Number.isInteger(given.retry) && (given.retry ?? 0) > 0)
    return { kind: "retry", times: given.retry ?? 1 };
  throw fail("BUILD_BAD_ARGUMENT", {
    fields: {
      argument: "onError",
      value: JSON.stringify(policy),
      allowed: '"fail", "skip", { retry: n } or { deadLetter: name }',
    },
  });
}
