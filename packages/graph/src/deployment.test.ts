import { describe, expect, test } from "vitest";
import { chainGraph } from "./chain.ts";
import { expandDeployment } from "./deployment.ts";
import { graphOf } from "./graphs.fixture.ts";
import type { JobGraph, Partitioning, TaskDeployment } from "./model.ts";

const endpointOf = (vertex: string, subtask: number) => ({
  taskManager: vertex,
  slot: subtask,
  host: "h",
  port: 1,
});
const partitionings = [
  "rebalance",
  "rescale",
  "shuffle",
  "broadcast",
  "global",
  "custom",
  "hash",
] as const;
const sizes = [1, 2, 3, 5].flatMap((from) => [1, 2, 3, 5].map((to) => [from, to] as const));

function deployed(partitioning: Partitioning, from: number, to: number) {
  const job = chainGraph(
    graphOf(
      [
        { kind: "source", parallelism: from },
        { kind: "map", uid: "map", parallelism: to },
      ],
      [
        [
          0,
          1,
          {
            partitioning,
            ...(partitioning === "hash" ? { key: { fields: ["k"], single: true } } : {}),
          },
        ],
      ],
    ),
  );
  return { job, tasks: expandDeployment(job, endpointOf) };
}
/** [producer, consumer] of every channel of the edge between the two operators, as one end lists them. */
function pairs(job: JobGraph, tasks: readonly TaskDeployment[], end: "inputs" | "outputs") {
  const edge = job.edges.find(({ partitioning }) => partitioning !== "assign")?.id;
  return tasks.flatMap((task) =>
    task[end]
      .filter((each) => each.edge === edge)
      .flatMap(({ channels }) =>
        channels.map(({ subtask }) =>
          end === "inputs" ? [subtask, task.subtask] : [task.subtask, subtask],
        ),
      ),
  );
}

describe.each(partitionings)("%s", (partitioning) => {
  test("DEP-1: both ends list the same channels", () => {
    for (const [from, to] of sizes) {
      const { job, tasks } = deployed(partitioning, from, to);
      expect(pairs(job, tasks, "inputs").sort()).toEqual(pairs(job, tasks, "outputs").sort());
    }
  });
  test("DEP-3: every subtask has a channel on each of its edges", () => {
    for (const [from, to] of sizes)
      for (const { inputs, outputs } of deployed(partitioning, from, to).tasks)
        for (const { channels } of [...inputs, ...outputs])
          expect(channels.length, `${from} to ${to}`).toBeGreaterThan(0);
  });
});

test("DEP-2: what is not rescaled connects all to all", () => {
  for (const partitioning of partitionings.filter((each) => each !== "rescale")) {
    const { job, tasks } = deployed(partitioning, 2, 3);
    expect(pairs(job, tasks, "outputs"), partitioning).toHaveLength(6);
  }
});
test.each([
  [
    2,
    4,
    [
      [0, 0],
      [0, 1],
      [1, 2],
      [1, 3],
    ],
  ],
  [
    4,
    2,
    [
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 1],
    ],
  ],
  [
    2,
    3,
    [
      [0, 0],
      [0, 1],
      [1, 2],
    ],
  ],
  [
    3,
    2,
    [
      [0, 0],
      [1, 0],
      [2, 1],
    ],
  ],
])("DEP-2: rescale from %i to %i connects neighbours", (from, to, expected) => {
  const { job, tasks } = deployed("rescale", from, to);
  expect(pairs(job, tasks, "outputs").sort()).toEqual(expected);
});
test("DEP-2: forward connects equals", () => {
  const job = chainGraph(
    graphOf([{ kind: "source" }, { kind: "map", chaining: "head" }], [[0, 1]], { parallelism: 3 }),
  );
  expect(pairs(job, expandDeployment(job, endpointOf), "inputs")).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
});
