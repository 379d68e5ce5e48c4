import type { TypeNode } from "@millrace/data";
import { describe, expect, test } from "vitest";
import { chainGraph } from "./chain.ts";
import {
  chainsOf,
  type EdgeParts,
  edgesOf,
  graphOf,
  type NodeParts,
  row,
} from "./graphs.fixture.ts";
import { commonType, inputTypeOf } from "./input-type.ts";

const source: NodeParts = { kind: "source", uid: "in" };
const map: NodeParts = { kind: "map", uid: "map" };
const sink: NodeParts = { kind: "sink", uid: "out" };
const line: readonly EdgeParts[] = [
  [0, 1],
  [1, 2],
];
const hash = { partitioning: "hash", key: { fields: ["k"], single: true } } as const;
const at = (parts: NodeParts, changed: Partial<NodeParts>): NodeParts => ({ ...parts, ...changed });

describe("CHN-1: chained are forward edges between equals, where both ends allow it", () => {
  test.each<[string, readonly NodeParts[], readonly EdgeParts[], readonly string[]]>([
    ["a straight line", [source, map, sink], line, ["enumerator", "in+map+out"]],
    [
      "another parallelism",
      [source, at(map, { parallelism: 2 }), sink],
      line,
      ["enumerator", "in", "map", "out"],
    ],
    [
      "another slot-sharing group",
      [source, at(map, { slotSharingGroup: "g" }), sink],
      line,
      ["enumerator", "in", "map", "out"],
    ],
    [
      "chaining from here on only",
      [source, at(map, { chaining: "head" }), sink],
      line,
      ["enumerator", "in", "map+out"],
    ],
    [
      "no chaining at all",
      [source, at(map, { chaining: "never" }), sink],
      line,
      ["enumerator", "in", "map", "out"],
    ],
    [
      "a source that must not be chained",
      [at(source, { chaining: "never" }), map, sink],
      line,
      ["enumerator", "in", "map+out"],
    ],
    [
      "partitioned by key",
      [source, at(map, { kind: "reduce" }), sink],
      [
        [0, 1, hash],
        [1, 2],
      ],
      ["enumerator", "in", "map+out"],
    ],
    [
      "rebalanced between equals",
      [source, map, sink],
      [
        [0, 1, { partitioning: "rebalance" }],
        [1, 2],
      ],
      ["enumerator", "in", "map+out"],
    ],
    [
      "an explicit forward between equals",
      [source, map, sink],
      [
        [0, 1, { explicit: true }],
        [1, 2],
      ],
      ["enumerator", "in+map+out"],
    ],
    [
      "two readers",
      [source, map, sink, at(sink, { uid: "out2" })],
      [
        [0, 1],
        [1, 2],
        [1, 3],
      ],
      ["enumerator", "in+map+out+out2"],
    ],
    [
      "a reader of a side output",
      [source, at(map, { sideOutputs: { s: row } }), sink, at(sink, { uid: "side" })],
      [
        [0, 1],
        [1, 2],
        [1, 3, { side: "s" }],
      ],
      ["enumerator", "in+map+out+side"],
    ],
    [
      "a union",
      [source, at(source, { uid: "in2" }), sink],
      [
        [0, 2],
        [1, 2],
      ],
      ["enumerator", "in", "enumerator", "in2", "out"],
    ],
    [
      "a union with itself",
      [source, sink],
      [
        [0, 1],
        [0, 1],
      ],
      ["enumerator", "in", "out"],
    ],
    [
      "two inputs",
      [source, at(map, { kind: "coMap" }), sink],
      [
        [0, 1],
        [0, 1, { input: 1 }],
        [1, 2],
      ],
      ["enumerator", "in", "map+out"],
    ],
  ])("%s", (_, nodes, edges, chains) => {
    expect([...chainsOf(graphOf(nodes, edges))].sort()).toEqual([...chains].sort());
  });
  test("a chain is a tree: each operator names the one it reads, and by which side", () => {
    const { vertices } = chainGraph(
      graphOf(
        [source, at(map, { sideOutputs: { s: row } }), sink, at(sink, { uid: "side" })],
        [
          [0, 1],
          [1, 2],
          [1, 3, { side: "s" }],
        ],
      ),
    );
    const task = vertices.find(({ role }) => role === "task");
    expect(task?.operators.map(({ uid, reads }) => [uid, reads])).toEqual([
      ["in", { operator: -1 }],
      ["map", { operator: 0 }],
      ["out", { operator: 1 }],
      ["side", { operator: 1, side: "s" }],
    ]);
  });
});

describe("CHN-2: forward between different parallelisms", () => {
  const nodes = [source, at(map, { parallelism: 3 })];
  test("becomes rebalance when nobody asked for it", () => {
    expect(edgesOf(chainGraph(graphOf(nodes, [[0, 1]])))).toContain("in -rebalance-> map");
  });
  test("is refused when it was asked for", () => {
    expect(() => chainGraph(graphOf(nodes, [[0, 1, { explicit: true }]]))).toThrow(
      expect.objectContaining({
        code: "GRAPH_FORWARD_MISMATCH",
        fields: {
          from: "source",
          fromParallelism: 1,
          to: "map",
          toParallelism: 3,
          at: "job.ts:2:1",
        },
      }) as Error,
    );
  });
});

test("CHN-3: a source has an enumerator before it, a two-phase sink a committer behind it, each alone and hidden", () => {
  const committed = at(sink, { sink: { kind: "two-phase", describe: {} } });
  const job = chainGraph(graphOf([source, committed], [[0, 1]], { parallelism: 3 }));
  expect(
    job.vertices.map(({ role, parallelism, operators }) => [role, parallelism, operators[0]?.uid]),
  ).toEqual([
    ["enumerator", 1, "in/enumerator"],
    ["task", 3, "in"],
    ["committer", 1, "out/committer"],
  ]);
  expect(edgesOf(job)).toEqual(["in/enumerator -assign-> in", "in -global-> out/committer"]);
  expect(job.vertices[0]?.operators[0]?.config).toEqual({ readers: 3 });
});

test("CHN-4: vertices come in topological order, and equal graphs give equal job graphs", () => {
  const graph = () =>
    graphOf(
      [source, at(map, { parallelism: 2 }), at(source, { uid: "in2" }), sink],
      [
        [0, 1],
        [1, 3],
        [2, 3],
      ],
    );
  const job = chainGraph(graph());
  const place = new Map(job.vertices.map(({ id }, i) => [id, i]));
  for (const { from, to } of job.edges)
    expect(place.get(from) as number).toBeLessThan(place.get(to) as number);
  expect(chainGraph(graph())).toEqual(job);
});

describe("CHN-5: a vertex has the key groups of its head", () => {
  const keyed = at(map, { kind: "rolling", parallelism: 2, maxParallelism: 8 });
  test.each<[string, NodeParts]>([
    ["with a follower of the default", at(map, { uid: "after", parallelism: 2 })],
    [
      "with a follower that asks for more",
      at(map, { uid: "after", parallelism: 2, maxParallelism: 512 }),
    ],
    ["with a follower that is not chained", at(map, { uid: "after", parallelism: 3 })],
  ])("%s", (_, after) => {
    const job = chainGraph(
      graphOf(
        [source, keyed, after],
        [
          [0, 1, hash],
          [1, 2],
        ],
      ),
    );
    const vertex = job.vertices.find(({ operators }) => operators[0]?.uid === "map");
    expect(vertex?.maxParallelism).toBe(8);
  });
  test("an operator wider than its key groups is refused", () => {
    expect(() =>
      chainGraph(graphOf([source, at(keyed, { parallelism: 9 })], [[0, 1, hash]])),
    ).toThrow(expect.objectContaining({ code: "GRAPH_BAD_PARALLELISM" }) as Error);
  });
});

describe("ITY-1: the type of an input is the smallest that accepts what any edge brings", () => {
  const int: TypeNode = { kind: "int32" };
  const float: TypeNode = { kind: "float64" };
  const text: TypeNode = { kind: "string" };
  const of = (v: TypeNode): TypeNode => ({ kind: "object", fields: [{ name: "v", type: v }] });
  test.each<[string, readonly TypeNode[], TypeNode]>([
    ["nothing", [], { kind: "unknown" }],
    ["one", [{ kind: "int64" }], { kind: "int64" }],
    [
      "equals stay as declared",
      [
        { kind: "enum", values: ["a"] },
        { kind: "enum", values: ["a"] },
      ],
      { kind: "enum", values: ["a"] },
    ],
    ["numbers widen", [of(int), of(float)], of(float)],
    ["null is taken in", [int, { kind: "nullable", of: int }], { kind: "nullable", of: int }],
    ["an edge without a type leaves none", [of(int), { kind: "unknown" }], { kind: "unknown" }],
    ["text and numbers have none in common", [int, text], { kind: "unknown" }],
  ])("%s", (_, types, common) => {
    expect(commonType(types)).toEqual(common);
  });
  test("the order of the branches does not matter, and sides count as what they carry", () => {
    const nodes = [
      at(source, { outputType: of(int) }),
      at(map, { outputType: text, sideOutputs: { s: of(float) } }),
      { kind: "rolling", uid: "sum" },
    ];
    for (const edges of [
      [
        [0, 2],
        [1, 2, { side: "s" }],
      ],
      [
        [1, 2, { side: "s" }],
        [0, 2],
      ],
    ] as EdgeParts[][]) {
      const graph = graphOf(nodes, edges);
      expect(inputTypeOf(graph, 2, 0)).toEqual(of(float));
      const sum = chainGraph(graph).vertices.find(({ operators }) => operators[0]?.uid === "sum");
      expect(sum?.operators[0]?.inputTypes).toEqual([of(float)]);
    }
  });
  test("the two inputs of an operator are told apart", () => {
    const graph = graphOf(
      [
        at(source, { outputType: int }),
        at(source, { uid: "in2", outputType: text }),
        { kind: "coMap" },
      ],
      [
        [0, 2],
        [1, 2, { input: 1 }],
      ],
    );
    expect([inputTypeOf(graph, 2, 0), inputTypeOf(graph, 2, 1)]).toEqual([int, text]);
    expect(inputTypeOf(graph, 2)).toEqual({ kind: "unknown" });
  });
});
