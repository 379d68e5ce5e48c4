import { describe, expect, test } from "vitest";
import { type EdgeParts, graphOf, type NodeParts, row } from "./graphs.fixture.ts";
import type { SinkKind } from "./model.ts";
import { validateGraph } from "./validate.ts";

const sink = (kind: SinkKind, uid: string): NodeParts => ({
  kind: "sink",
  uid,
  sink: { kind, describe: {} },
});
const source: NodeParts = { kind: "source" };
const hash = { partitioning: "hash", key: { fields: ["k"], single: true } } as const;
const refused = (
  nodes: readonly NodeParts[],
  edges: readonly EdgeParts[],
  fields: Readonly<Record<string, unknown>>,
  code: string,
  options = {},
) =>
  expect(() => validateGraph(graphOf(nodes, edges, options))).toThrow(
    expect.objectContaining({ code, fields: expect.objectContaining(fields) as unknown }) as Error,
  );

describe("uids", () => {
  test("two operators with one", () => {
    refused(
      [source, { kind: "map", uid: "a" }, { kind: "sink", uid: "a" }],
      [
        [0, 1],
        [1, 2],
      ],
      { uid: "a", first: "map at job.ts:2:1", second: "sink at job.ts:3:1" },
      "GRAPH_DUPLICATE_UID",
    );
  });
  test("that of a hidden enumerator or committer is taken too", () => {
    refused(
      [{ ...source, uid: "in" }, { kind: "map", uid: "in/enumerator" }, { kind: "sink" }],
      [
        [0, 1],
        [1, 2],
      ],
      { uid: "in/enumerator" },
      "GRAPH_DUPLICATE_UID",
    );
    refused(
      [source, { kind: "map", uid: "out/committer" }, sink("two-phase", "out")],
      [
        [0, 1],
        [1, 2],
      ],
      { uid: "out/committer" },
      "GRAPH_DUPLICATE_UID",
    );
    const plain = graphOf(
      [source, { kind: "map", uid: "out/committer" }, sink("at-least-once", "out")],
      [
        [0, 1],
        [1, 2],
      ],
    );
    expect(validateGraph(plain)).toEqual([]);
  });
});

describe("dead letters end in a sink no weaker than the job's strongest", () => {
  const job = (own: SinkKind, dead: readonly SinkKind[], via = 0) => {
    const nodes: NodeParts[] = [
      source,
      { kind: "map", sideOutputs: { dead: row }, onError: { kind: "dead-letter", name: "dead" } },
      sink(own, "own"),
      ...Array.from({ length: via }, (_, i) => ({ kind: "map", uid: `via${i}` })),
      ...dead.map((kind, i) => sink(kind, `dead${i}`)),
    ];
    const edges: EdgeParts[] = [
      [0, 1],
      [1, 2],
    ];
    for (let i = 0; i < via; i++) edges.push(i === 0 ? [1, 3, { side: "dead" }] : [2 + i, 3 + i]);
    dead.forEach((_, i) => {
      const to = 3 + via + i;
      edges.push(via === 0 ? [1, to, { side: "dead" }] : [2 + via, to]);
    });
    return [nodes, edges] as const;
  };
  const kinds: readonly SinkKind[] = ["at-least-once", "upsert", "commit-log", "two-phase"];
  test.each(kinds.flatMap((own, i) => kinds.map((dead, j) => [own, dead, j >= i] as const)))(
    "the job's %s, the dead letters' %s",
    (own, dead, allowed) => {
      const [nodes, edges] = job(own, [dead], 2);
      if (allowed) expect(validateGraph(graphOf(nodes, edges))).toEqual([]);
      else
        refused(
          nodes,
          edges,
          {
            deadLetter: "dead",
            deadLetterSink: `sink at job.ts:6:1 (${dead})`,
            strongestSink: `sink at job.ts:3:1 (${own})`,
          },
          "GRAPH_DEAD_LETTER_WEAKER",
        );
    },
  );
  test("one that is strong enough is enough", () => {
    const [nodes, edges] = job("two-phase", ["at-least-once", "two-phase"]);
    expect(validateGraph(graphOf(nodes, edges))).toEqual([]);
  });
  test("a side that is read and ends in no sink is not read", () => {
    refused(...job("at-least-once", [], 2), { deadLetter: "dead" }, "GRAPH_DEAD_LETTER_UNREAD");
    refused(...job("at-least-once", []), { deadLetter: "dead" }, "GRAPH_DEAD_LETTER_UNREAD");
  });
});

describe("requireTypes looks at what reaches the operator, over all edges and sides", () => {
  const options = { requireTypes: true };
  const typed: NodeParts = { ...source, outputType: row, uid: "typed" };
  test("a branch of a union without a type", () => {
    for (const branches of [
      [typed, source],
      [source, typed],
    ])
      refused(
        [...branches, { kind: "rolling" }, { kind: "sink" }],
        [
          [0, 2, hash],
          [1, 2, hash],
          [2, 3],
        ],
        { operator: "rolling", at: "job.ts:3:1" },
        "GRAPH_TYPE_REQUIRED",
        options,
      );
  });
  test("a typed side of an operator whose main output has no type", () => {
    const graph = graphOf(
      [source, { kind: "process", sideOutputs: { s: row } }, { kind: "rolling" }, { kind: "sink" }],
      [
        [0, 1],
        [1, 2, { ...hash, side: "s" }],
        [2, 3],
      ],
      options,
    );
    expect(validateGraph(graph)).toEqual([]);
  });
});

test.each<[string, readonly NodeParts[], readonly EdgeParts[], string]>([
  ["no sink", [source], [], "GRAPH_EMPTY"],
  [
    "no parallelism",
    [{ ...source, parallelism: 0 }, { kind: "sink" }],
    [[0, 1]],
    "GRAPH_BAD_PARALLELISM",
  ],
  [
    "a side that there is not",
    [source, { kind: "sink" }],
    [[0, 1, { side: "s" }]],
    "GRAPH_UNKNOWN_SIDE_OUTPUT",
  ],
  [
    "a window without watermarks on one way",
    [
      { ...source, config: { watermarks: { kind: "bounded" } } },
      source,
      { kind: "window", config: { fn: { kind: "columns" } } },
      { kind: "sink" },
    ],
    [
      [0, 2, hash],
      [1, 2, hash],
      [2, 3],
    ],
    "GRAPH_MISSING_WATERMARKS",
  ],
  [
    "two sinks with one target",
    [
      source,
      { kind: "sink", sink: { kind: "upsert", describe: {}, target: "t" } },
      { kind: "sink", sink: { kind: "upsert", describe: {}, target: "t" } },
    ],
    [
      [0, 1],
      [0, 2],
    ],
    "GRAPH_SAME_TARGET",
  ],
])("%s is refused", (_, nodes, edges, code) => refused(nodes, edges, {}, code));

test("state without a uid deserves a warning", () => {
  const graph = graphOf([{ ...source, uid: "in", uidFrom: "path" }, { kind: "sink" }], [[0, 1]]);
  expect(validateGraph(graph)).toEqual([
    expect.stringContaining("source (job.ts:1:1) has state and no uid"),
  ]);
});
