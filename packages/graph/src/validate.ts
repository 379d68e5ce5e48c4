/** What is wrong with a graph before anything starts: an error for what can't run right, a warning for what may hurt later. Pure. */
import { nearest } from "@millrace/base";
import { fail } from "./fail.ts";
import { inputTypeOf } from "./input-type.ts";
import { type LogicalGraph, type LogicalNode, sinkKinds } from "./model.ts";
import type { WatermarkConfig } from "./operator-configs.ts";

/** Answers warnings. Throws the first error as a coded one that names the operator and its place. */
export function validateGraph(graph: LogicalGraph): readonly string[] {
  if (!graph.nodes.some((node) => node.kind === "sink"))
    throw fail("GRAPH_EMPTY", { fields: { job: graph.options.name } });
  uniqueUids(graph);
  const warnings: string[] = [];
  for (const node of graph.nodes) {
    parallelism(graph, node);
    if (node.kind === "window") needsWatermarks(graph, node);
    deadLetter(graph, node);
    if (isStateful(node) && node.uidFrom === "path") {
      warnings.push(
        `${node.name} (${node.at ?? node.uid}) has state and no uid: its identity is its place in the job, "${node.uid}", and is lost when an operator is inserted before it`,
      );
    }
    if (graph.options.requireTypes) requireType(graph, node);
  }
  for (const edge of graph.edges) {
    const from = graph.nodes[edge.from];
    if (edge.side !== undefined && from !== undefined && !(edge.side in from.sideOutputs)) {
      const names = Object.keys(from.sideOutputs);
      throw fail("GRAPH_UNKNOWN_SIDE_OUTPUT", {
        fields: {
          operator: from.name,
          side: edge.side,
          nearest: nearest(edge.side, names) ?? "",
          valid: names,
        },
      });
    }
  }
  sameTargets(graph);
  return warnings;
}

function uniqueUids(graph: LogicalGraph): void {
  const seen = new Map<string, LogicalNode>();
  for (const node of graph.nodes) {
    for (const uid of uidsOf(node)) {
      const other = seen.get(uid);
      if (other !== undefined) {
        throw fail("GRAPH_DUPLICATE_UID", {
          fields: {
            uid,
            first: `${other.name} at ${other.at ?? "?"}`,
            second: `${node.name} at ${node.at ?? "?"}`,
          },
        });
      }
      seen.set(uid, node);
    }
  }
}

/** Its own, and that of the hidden subtask that belongs to it (CHN-3). */
function uidsOf(node: LogicalNode): readonly string[] {
  const { uid } = node;
  if (node.kind === "source") return [uid, `${uid}/enumerator`];
  return node.sink?.kind === "two-phase" ? [uid, `${uid}/committer`] : [uid];
}

function parallelism(graph: LogicalGraph, node: LogicalNode): void {
  const n = node.parallelism ?? graph.options.parallelism;
  const max = node.maxParallelism ?? graph.options.maxParallelism;
  if (
    !Number.isInteger(n) ||
    n < 1 ||
    n > 32_768 ||
    (max !== undefined && (!Number.isInteger(max) || max < n || max > 32_768))
  ) {
    throw fail("GRAPH_BAD_PARALLELISM", {
      fields: {
        operator: node.name,
        parallelism: n,
        maxParallelism: max ?? "default",
        at: node.at ?? "",
      },
    });
  }
}

/** Going up from the window, every way must meet a strategy that makes watermarks. */
function needsWatermarks(graph: LogicalGraph, window: LogicalNode): void {
  const visit = (id: number): void => {
    const node = graph.nodes[id];
    if (node === undefined) return;
    if (node.kind === "source" || node.kind === "timestamps") {
      const { watermarks } = node.config as unknown as { readonly watermarks: WatermarkConfig };
      if (watermarks.kind !== "none") return;
      throw fail("GRAPH_MISSING_WATERMARKS", {
        fields: {
          window: `${window.name} at ${window.at ?? "?"}`,
          from: `${node.name} at ${node.at ?? "?"}`,
        },
      });
    }
    for (const edge of graph.edges) if (edge.to === id) visit(edge.from);
  };
  visit(window.id);
}

function deadLetter(graph: LogicalGraph, node: LogicalNode): void {
  if (node.onError.kind !== "dead-letter") return;
  const { name } = node.onError;
  const fields = { operator: node.name, deadLetter: name, at: node.at ?? "" };
  const own = strongest(sinksBehind(graph, node.id, name));
  if (own === undefined) throw fail("GRAPH_DEAD_LETTER_UNREAD", { fields });
  const other = strongest(graph.nodes) ?? own;
  if (rankOf(own) < rankOf(other))
    throw fail("GRAPH_DEAD_LETTER_WEAKER", {
      fields: { ...fields, deadLetterSink: sinkText(own), strongestSink: sinkText(other) },
    });
}

/** The sinks that what leaves by this side can reach. */
function sinksBehind(graph: LogicalGraph, node: number, side: string): readonly LogicalNode[] {
  const reached = new Set<number>();
  const visit = (id: number): void => {
    if (reached.has(id)) return;
    reached.add(id);
    for (const edge of graph.edges) if (edge.from === id) visit(edge.to);
  };
  for (const edge of graph.edges) if (edge.from === node && edge.side === side) visit(edge.to);
  return graph.nodes.filter((other) => reached.has(other.id));
}
function strongest(nodes: readonly LogicalNode[]): LogicalNode | undefined {
  return nodes
    .filter((node) => node.sink !== undefined)
    .reduce<LogicalNode | undefined>(
      (best, node) => (best === undefined || rankOf(node) > rankOf(best) ? node : best),
      undefined,
    );
}
const rankOf = (node: LogicalNode): number => sinkKinds.indexOf(node.sink?.kind ?? "at-least-once");
const sinkText = (node: LogicalNode): string =>
  `${node.name} at ${node.at ?? "?"} (${node.sink?.kind ?? ""})`;

function sameTargets(graph: LogicalGraph): void {
  const seen = new Map<string, LogicalNode>();
  for (const node of graph.nodes) {
    const target = node.sink?.target;
    if (target === undefined) continue;
    const place = node.sink?.place ?? target;
    const other = seen.get(place);
    if (other !== undefined)
      throw fail("GRAPH_SAME_TARGET", {
        fields: {
          target,
          first: `${other.name} at ${other.at ?? "?"}`,
          second: `${node.name} at ${node.at ?? "?"}`,
        },
      });
    seen.set(place, node);
  }
}

function requireType(graph: LogicalGraph, node: LogicalNode): void {
  const keepsStream =
    node.kind === "reduce" ||
    node.kind === "rolling" ||
    node.kind === "mapAsync" ||
    (node.kind === "window" &&
      ["reduce", "process"].includes(
        (node.config as { readonly fn: { readonly kind: string } }).fn.kind,
      ));
  if (!keepsStream) return;
  if (inputTypeOf(graph, node.id, 0).kind === "unknown")
    throw fail("GRAPH_TYPE_REQUIRED", { fields: { operator: node.name, at: node.at ?? "" } });
}

function isStateful(node: LogicalNode): boolean {
  return (
    ["source", "reduce", "rolling", "keyedProcess", "window", "mapAsync"].includes(node.kind) ||
    node.sink?.kind === "two-phase"
  );
}
