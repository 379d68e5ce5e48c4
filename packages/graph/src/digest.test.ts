import { expect, test } from "vitest";
import { digestOf } from "./digest.ts";
import { graphOf, row } from "./graphs.fixture.ts";
import type { LogicalGraph, LogicalNode } from "./model.ts";

const graph = graphOf(
  [{ kind: "source" }, { kind: "map" }, { kind: "sink" }],
  [
    [0, 1],
    [1, 2],
  ],
);
const withNode = (change: Partial<LogicalNode>): LogicalGraph => ({
  ...graph,
  nodes: graph.nodes.map((node) => (node.kind === "map" ? { ...node, ...change } : node)),
});

test("GRA-2: a digest is 128 bits, the same for equal graphs whatever the order of their properties", () => {
  const turned = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(turned)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, v]) => [name, turned(v)]),
          )
        : value;
  expect(digestOf(graph)).toMatch(/^[0-9a-f]{32}$/);
  expect(digestOf(turned(graph) as LogicalGraph)).toBe(digestOf(graph));
});
test.each<[string, LogicalGraph]>([
  ["a display name", withNode({ name: "another" })],
  ["a place in the source", withNode({ at: "else.ts:9:9" })],
  ["the job's name", { ...graph, options: { ...graph.options, name: "another" } }],
])("GRA-2: %s does not matter", (_, changed) => {
  expect(digestOf(changed)).toBe(digestOf(graph));
});
test.each<[string, LogicalGraph]>([
  ["a uid", withNode({ uid: "another" })],
  ["a kind", withNode({ kind: "filter" })],
  ["a config", withNode({ config: { field: "v" } })],
  ["an output type", withNode({ outputType: row })],
  ["a side output", withNode({ sideOutputs: { s: row } })],
  ["a parallelism", withNode({ parallelism: 2 })],
  ["a number of key groups", withNode({ maxParallelism: 2 })],
  ["a slot-sharing group", withNode({ slotSharingGroup: "g" })],
  ["chaining", withNode({ chaining: "never" })],
  ["an error policy", withNode({ onError: { kind: "skip" } })],
  ["names of functions", withNode({ functions: ["fn"] })],
  [
    "a kind of sink",
    {
      ...graph,
      nodes: graph.nodes.map((node) =>
        node.kind === "sink" ? { ...node, sink: { kind: "upsert", describe: {} } } : node,
      ),
    },
  ],
  [
    "a partitioning",
    { ...graph, edges: graph.edges.map((edge) => ({ ...edge, partitioning: "rebalance" })) },
  ],
  ["an option", { ...graph, options: { ...graph.options, bufferTimeoutMs: 6 } }],
])("GRA-2: %s matters", (_, changed) => {
  expect(digestOf(changed)).not.toBe(digestOf(graph));
});
