/** Every way in which records travel, between every pair of widths: they all arrive, a checkpoint passes, and the job ends (DEP-1..3). */
import { type DataStream, generatorSource, t, Watermarks } from "@millrace/api";
import { describe, expect, test } from "vitest";
import { withCheckpoint } from "./run-graph.fixture.ts";

const count = 60;
const ways: Readonly<Record<string, (stream: DataStream<number>) => DataStream<number>>> = {
  "nothing said": (stream) => stream,
  rebalance: (stream) => stream.rebalance(),
  rescale: (stream) => stream.rescale(),
  shuffle: (stream) => stream.shuffle(),
  broadcast: (stream) => stream.broadcast(),
  global: (stream) => stream.global(),
  partitionCustom: (stream) =>
    stream.partitionCustom(
      (key: number, channels) => key % channels,
      (n) => n,
    ),
  keyBy: (stream) => stream.keyBy((n) => n),
};

describe.each(Object.entries(ways))("%s", (name, way) => {
  test.each([
    [1, 2],
    [2, 3],
    [3, 2],
    [3, 1],
    [3, 3],
  ])("from %i to %i", async (from, to) => {
    const arrived = await withCheckpoint((env) => {
      const numbers = env
        .fromSource(
          generatorSource({ create: (i) => i, count, ratePerSec: 600 }),
          Watermarks.none(),
        )
        .setParallelism(from);
      return way(numbers)
        .process({
          output: t.object({ n: t.int32, at: t.int32 }),
          open: ({ subtask }) => subtask,
          onElement(n, { collect, resource }) {
            collect({ n, at: resource });
          },
        })
        .setParallelism(to);
    });
    const copies = name === "broadcast" ? to : 1;
    expect(arrived.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: count * copies }, (_, i) => Math.floor(i / copies)),
    );
    const at = (subtask: number) => arrived.filter((row) => row.at === subtask);
    if (name === "global") expect(at(0)).toHaveLength(count);
    if (name === "partitionCustom") for (const row of arrived) expect(row.at).toBe(row.n % to);
    if (name === "broadcast") for (let i = 0; i < to; i++) expect(at(i)).toHaveLength(count);
    if (name === "rebalance" || name === "rescale")
      for (let i = 0; i < to; i++) expect(at(i).length).toBeGreaterThan(0);
  });
});
