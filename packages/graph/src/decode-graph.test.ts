import { unknownType } from "@millrace/data";
import { expect, test } from "vitest";
import { chainGraph } from "./chain.ts";
import { decodeJobGraph } from "./decode-graph.ts";
import type { LogicalGraph, LogicalNode } from "./model.ts";
import { plainOptions } from "./plain-options.ts";

const node = (id: number, kind: string, more: Partial<LogicalNode> = {}): LogicalNode => ({
  id,
  uid: `${kind}-${id}`,
  uidFrom: "user",
  name: kind,
  kind,
  config: kind === "source" ? { watermarks: { kind: "none" } } : {},
  functions: ["fn"],
  outputType: { kind: "object", fields: [{ name: "k", type: { kind: "string" } }] },
  sideOutputs: { late: unknownType },
  chaining: "always",
  slotSharingGroup: "default",
  onError: { kind: "dead-letter", name: "late" },
  ...more,
});
const logical: LogicalGraph = {
  formatVersion: 1,
  options: { ...plainOptions, parallelism: 2 },
  nodes: [
    node(0, "source", { source: { boundedness: "bounded", describe: {} } }),
    node(1, "map", { onError: { kind: "retry", times: 3 } }),
    node(2, "reduce", { parallelism: 3 }),
    node(3, "sink", { parallelism: 3, sink: { kind: "two-phase", describe: {} } }),
  ],
  edges: [
    { from: 0, to: 1, input: 0, partitioning: "forward" },
    { from: 1, to: 2, input: 0, partitioning: "hash", key: { fields: ["k"], single: true } },
    { from: 2, to: 3, input: 0, partitioning: "custom", custom: { function: "p", key: "k" } },
  ],
};
type Path = readonly (string | number)[];
const fresh = () => JSON.parse(JSON.stringify(chainGraph(logical))) as Record<string, unknown>;
function changed(path: Path, value: unknown): unknown {
  const graph = fresh();
  let at: Record<string | number, unknown> = graph;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  const last = path.at(-1) as string | number;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return graph;
}
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([name, v]) => pathsOf(v, [...path, name]));
  return path.length === 0 ? inner : [path, ...inner];
}

test("DEC-1: what chaining makes is a graph, also after its way as JSON", () => {
  expect(decodeJobGraph(fresh())).toEqual(fresh());
});

test.each<[string, Path, unknown, string]>([
  ["no vertex", ["vertices"], [], "vertices"],
  ["no options", ["options"], undefined, "options"],
  ["no restart options", ["options", "restart"], undefined, "options.restart"],
  ["another version", ["formatVersion"], 2, "formatVersion"],
  ["parallelism 0", ["vertices", 1, "parallelism"], 0, "vertices[1].parallelism"],
  ["parallelism 1e9", ["vertices", 1, "parallelism"], 1e9, "vertices[1].parallelism"],
  ["half a subtask", ["vertices", 1, "parallelism"], 1.5, "vertices[1].parallelism"],
  ["two enumerators", ["vertices", 0, "parallelism"], 2, "vertices[0].parallelism"],
  ["too few key groups", ["vertices", 2, "maxParallelism"], 2, "vertices[2].maxParallelism"],
  ["operators that are no list", ["vertices", 1, "operators"], {}, "vertices[1].operators"],
  [
    "an operator that reads itself",
    ["vertices", 1, "operators", 1, "reads", "operator"],
    1,
    "reads.operator",
  ],
  ["an id twice", ["vertices", 1, "id"], "v0", "vertices[1].id"],
  ["an edge to nowhere", ["edges", 1, "to"], "v9", "edges[1].to"],
  ["an edge to itself", ["edges", 1, "to"], "v1", "edges[1]"],
  ["an edge from no operator", ["edges", 1, "fromOperator"], 7, "edges[1].fromOperator"],
  ["a third input", ["edges", 1, "input"], 2, "edges[1].input"],
  ["forward between 2 and 3", ["edges", 1, "partitioning"], "forward", "edges[1].partitioning"],
  ["no type", ["edges", 1, "type"], { kind: "what" }, "edges[1].type"],
  ["no graph at all", ["vertices", 0], null, "vertices[0]"],
])("DEC-1..2: %s is refused where it stands", (_what, path, value, where) => {
  expect(() => decodeJobGraph(changed(path, value))).toThrow(
    expect.objectContaining({
      code: "GRAPH_INVALID",
      fields: expect.objectContaining({ path: expect.stringContaining(where) }),
    }),
  );
});

test.each([null, undefined, 7, "graph", [], {}])("DEC-1: %j is refused", (value) => {
  expect(() => decodeJobGraph(value)).toThrow(expect.objectContaining({ code: "GRAPH_INVALID" }));
});

test("DEC-1: whatever single value is replaced, the answer is a graph or GRAPH_INVALID", () => {
  let refused = 0;
  for (const path of pathsOf(fresh())) {
    for (const value of [undefined, null, -1, 1e300, "", "x", [], {}, [null], true]) {
      try {
        decodeJobGraph(changed(path, value));
      } catch (error) {
        expect(error, `${path.join(".")} = ${JSON.stringify(value)}`).toMatchObject({
          code: "GRAPH_INVALID",
        });
        refused += 1;
      }
    }
  }
  expect(refused).toBeGreaterThan(1_000);
});

test("DEC-3: many subtasks, each vertex within its bound, are refused", () => {
  const graph = fresh();
  const [vertex] = (graph["vertices"] as Record<string, unknown>[]).slice(1, 2);
  graph["vertices"] = Array.from({ length: 5 }, (_, i) => ({
    ...vertex,
    id: `w${i}`,
    parallelism: 32_768,
    maxParallelism: 32_768,
  }));
  graph["edges"] = [];
  expect(() => decodeJobGraph(graph)).toThrow(expect.objectContaining({ code: "GRAPH_INVALID" }));
});

test("DEC-3: a config nested without end is refused, and costs no stack", () => {
  let config: unknown = 1;
  for (let i = 0; i < 100_000; i++) config = [config];
  expect(() => decodeJobGraph(changed(["vertices", 1, "operators", 0, "config"], config))).toThrow(
    expect.objectContaining({ code: "GRAPH_INVALID" }),
  );
});
