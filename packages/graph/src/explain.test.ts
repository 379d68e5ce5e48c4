import { expect, test } from "vitest";
import { chainGraph } from "./chain.ts";
import { explainText, flinkPlan, planJson, slotsNeeded } from "./explain.ts";
import { graphOf, type NodeParts, row } from "./graphs.fixture.ts";
import type { LogicalEdge } from "./model.ts";

const byField = { partitioning: "hash", key: { fields: ["k"], single: true } } as const;
const byFunction = { partitioning: "hash", key: { function: "key:1" } } as const;
const columns = {
  assigner: { kind: "tumbling-event-time", sizeMs: 1, offsetMs: 0 },
  allowedLatenessMs: 0,
  lateSide: "late",
  fn: {
    kind: "columns",
    fields: [{ name: "n", kind: "count", field: null, q: null, approximate: false }],
  },
} as const;
const inProcess = {
  ...columns,
  fn: {
    kind: "process",
    windowState: { seen: { kind: "value", type: { kind: "string" } } },
    globalState: { count: { kind: "value", type: { kind: "int64" } } },
  },
} as const;

const whole = chainGraph(
  graphOf(
    [
      { kind: "source", uid: "in", name: "orders", outputType: row },
      { kind: "map", uid: "double", outputType: row, onError: { kind: "skip" } },
      {
        kind: "window",
        uid: "counts",
        config: columns,
        sideOutputs: { late: row },
        parallelism: 2,
      },
      {
        kind: "sink",
        uid: "files",
        name: "files",
        parallelism: 2,
        sink: { kind: "two-phase", describe: {} },
        config: { sinkKind: "two-phase" },
      },
      {
        kind: "sink",
        uid: "look",
        name: "print",
        slotSharingGroup: "looking",
        config: { sinkKind: "at-least-once" },
      },
    ],
    [
      [0, 1],
      [1, 2, byField],
      [2, 3],
      [2, 4, { side: "late" }],
    ],
    { name: "orders" },
  ),
);

test("EXP-1, EXP-2: the plan as text says how records travel, what is kept, and what a crash can do", () => {
  expect(explainText(whole).replace(whole.digest, "<digest>")).toMatchInlineSnapshot(`
    "orders  digest <digest>
    3 slots, output at least once

    v0  orders (enumerator)
        parallelism 1 of 128, hidden enumerator
        in/enumerator: source-enumerator → unknown (objects)
        ─ assign → v1  unknown (adaptive, objects)
    v1  orders -> map
        parallelism 1 of 128
        in: source → { k: string, v: int32 } (objects)
        double: map → { k: string, v: int32 } (objects), on error skip
        ─ hash by k → v2  { k: string, v: int32 } (typed, columns)
    v2  window -> files
        parallelism 2 of 128
        counts: window → unknown (columns)
        files: sink of kind two-phase: exactly once (two-phase commit)
        ─ global → v3  unknown (adaptive, objects)
        ─ rebalance → v4  { k: string, v: int32 } (typed, objects)
    v3  files (committer)
        parallelism 1 of 128, hidden committer
        files/committer: sink-committer → unknown (objects)
    v4  print
        parallelism 1 of 128, slot group looking
        look: sink of kind at-least-once: at least once

    state
        counts: accumulators of the aggregates (declared)"
  `);
});
test("the plan as JSON says the same", () => {
  expect({ ...planJson(whole), digest: "<digest>" }).toMatchInlineSnapshot(`
    {
      "digest": "<digest>",
      "edges": [
        {
          "access": "objects",
          "encoding": "adaptive",
          "from": "v0",
          "id": "e0",
          "key": null,
          "partitioning": "assign",
          "to": "v1",
          "type": "unknown",
        },
        {
          "access": "objects",
          "encoding": "adaptive",
          "from": "v2",
          "id": "e1",
          "key": null,
          "partitioning": "global",
          "to": "v3",
          "type": "unknown",
        },
        {
          "access": "columns",
          "encoding": "typed",
          "from": "v1",
          "id": "e2",
          "key": "k",
          "partitioning": "hash",
          "to": "v2",
          "type": "{ k: string, v: int32 }",
        },
        {
          "access": "objects",
          "encoding": "typed",
          "from": "v2",
          "id": "e3",
          "key": null,
          "partitioning": "rebalance",
          "to": "v4",
          "type": "{ k: string, v: int32 }",
        },
      ],
      "guarantee": "at least once",
      "name": "orders",
      "slots": 3,
      "state": [
        {
          "origin": "declared",
          "type": "accumulators of the aggregates",
          "uid": "counts",
        },
      ],
      "vertices": [
        {
          "id": "v0",
          "maxParallelism": 128,
          "name": "orders (enumerator)",
          "operators": [
            {
              "access": "objects",
              "delivery": null,
              "kind": "source-enumerator",
              "onError": "fail",
              "type": "unknown",
              "uid": "in/enumerator",
            },
          ],
          "parallelism": 1,
          "role": "enumerator",
          "slotSharingGroup": "default",
        },
        {
          "id": "v1",
          "maxParallelism": 128,
          "name": "orders -> map",
          "operators": [
            {
              "access": "objects",
              "delivery": null,
              "kind": "source",
              "onError": "fail",
              "type": "{ k: string, v: int32 }",
              "uid": "in",
            },
            {
              "access": "objects",
              "delivery": null,
              "kind": "map",
              "onError": "skip",
              "type": "{ k: string, v: int32 }",
              "uid": "double",
            },
          ],
          "parallelism": 1,
          "role": "task",
          "slotSharingGroup": "default",
        },
        {
          "id": "v2",
          "maxParallelism": 128,
          "name": "window -> files",
          "operators": [
            {
              "access": "columns",
              "delivery": null,
              "kind": "window",
              "onError": "fail",
              "type": "unknown",
              "uid": "counts",
            },
            {
              "access": "objects",
              "delivery": {
                "guarantee": "exactly once (two-phase commit)",
                "kind": "two-phase",
              },
              "kind": "sink",
              "onError": "fail",
              "type": "unknown",
              "uid": "files",
            },
          ],
          "parallelism": 2,
          "role": "task",
          "slotSharingGroup": "default",
        },
        {
          "id": "v3",
          "maxParallelism": 128,
          "name": "files (committer)",
          "operators": [
            {
              "access": "objects",
              "delivery": null,
              "kind": "sink-committer",
              "onError": "fail",
              "type": "unknown",
              "uid": "files/committer",
            },
          ],
          "parallelism": 1,
          "role": "committer",
          "slotSharingGroup": "default",
        },
        {
          "id": "v4",
          "maxParallelism": 128,
          "name": "print",
          "operators": [
            {
              "access": "objects",
              "delivery": {
                "guarantee": "at least once",
                "kind": "at-least-once",
              },
              "kind": "sink",
              "onError": "fail",
              "type": "unknown",
              "uid": "look",
            },
          ],
          "parallelism": 1,
          "role": "task",
          "slotSharingGroup": "looking",
        },
      ],
    }
  `);
});
test("the plan in Flink's shape names inputs and how they are shipped", () => {
  expect(flinkPlan(whole)).toMatchInlineSnapshot(`
    {
      "nodes": [
        {
          "description": "orders (enumerator)",
          "id": "v0",
          "operator": "source-enumerator",
          "operator_strategy": "",
          "parallelism": 1,
        },
        {
          "description": "orders -> map",
          "id": "v1",
          "inputs": [
            {
              "exchange": "pipelined_bounded",
              "id": "v0",
              "num": 0,
              "ship_strategy": "ASSIGN",
            },
          ],
          "operator": "source -> map",
          "operator_strategy": "",
          "parallelism": 1,
        },
        {
          "description": "window -> files",
          "id": "v2",
          "inputs": [
            {
              "exchange": "pipelined_bounded",
              "id": "v1",
              "num": 0,
              "ship_strategy": "HASH",
            },
          ],
          "operator": "window -> sink",
          "operator_strategy": "",
          "parallelism": 2,
        },
        {
          "description": "files (committer)",
          "id": "v3",
          "inputs": [
            {
              "exchange": "pipelined_bounded",
              "id": "v2",
              "num": 0,
              "ship_strategy": "GLOBAL",
            },
          ],
          "operator": "sink-committer",
          "operator_strategy": "",
          "parallelism": 1,
        },
        {
          "description": "print",
          "id": "v4",
          "inputs": [
            {
              "exchange": "pipelined_bounded",
              "id": "v2",
              "num": 0,
              "ship_strategy": "REBALANCE",
            },
          ],
          "operator": "sink",
          "operator_strategy": "",
          "parallelism": 1,
        },
      ],
    }
  `);
});
test("a sharing group takes as many slots as its widest vertex; hidden vertices take none", () => {
  expect(slotsNeeded(whole)).toBe(3);
});

test.each<[string, NodeParts, Partial<LogicalEdge>, "columns" | "objects"]>([
  ["a rolling aggregate by a field", { kind: "rolling" }, byField, "columns"],
  ["a rolling aggregate by a function", { kind: "rolling" }, byFunction, "objects"],
  ["column aggregates of a window", { kind: "window", config: columns }, byField, "columns"],
  ["all values of a window", { kind: "window", config: inProcess }, byField, "objects"],
  ["a user's reduce", { kind: "reduce", functions: ["fn"] }, byField, "objects"],
  ["a map", { kind: "map", functions: ["fn"] }, { partitioning: "rebalance" }, "objects"],
  [
    "a channel chosen by a function",
    { kind: "rolling" },
    { partitioning: "custom", custom: { function: "partition:0", key: "key:0" } },
    "objects",
  ],
])("EXP-1: the edge to %s", (_, reader, edge, access) => {
  const job = chainGraph(
    graphOf(
      [{ kind: "source" }, reader, { kind: "sink" }],
      [
        [0, 1, edge],
        [1, 2],
      ],
    ),
  );
  expect(planJson(job).edges.find(({ partitioning }) => partitioning !== "assign")?.access).toBe(
    access,
  );
});
test.each<[string, NodeParts, "columns" | "objects"]>([
  ["a map", { kind: "map" }, "objects"],
  ["a key", { kind: "rolling" }, "columns"],
])(
  "ACC-1: an operator that passes records on needs what follows it in the chain: %s",
  (_, next, access) => {
    const keyed = next.kind === "rolling" ? byField : {};
    const job = chainGraph(
      graphOf(
        [
          { kind: "source" },
          { kind: "filterPresent" },
          { kind: "timestamps" },
          next,
          { kind: "sink" },
        ],
        [
          [0, 1, { partitioning: "rebalance" }],
          [1, 2],
          [2, 3, keyed],
          [3, 4],
        ],
      ),
    );
    expect(
      planJson(job).edges.find(({ partitioning }) => partitioning === "rebalance")?.access,
    ).toBe(access);
  },
);
test("state that a window function declares is in the plan, by window and over all of them", () => {
  const job = chainGraph(
    graphOf(
      [
        { kind: "source", outputType: row },
        { kind: "window", uid: "w", config: inProcess },
        { kind: "sink" },
      ],
      [
        [0, 1, byField],
        [1, 2],
      ],
    ),
  );
  expect(planJson(job).state).toEqual([
    { uid: "w", type: "list of { k: string, v: int32 }", origin: "stream" },
    { uid: "w.windowState.seen", type: "string", origin: "declared" },
    { uid: "w.globalState.count", type: "int64", origin: "declared" },
  ]);
});
