import { expect, test } from "vitest";
import { type EdgeSketch, rowsOf, SlotHarness, virtual } from "./slot-harness.fixture.ts";

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

/** One map, and the edges that lead out of it. */
function mapTo(edges: readonly Partial<EdgeSketch>[], costMs = 0) {
  const platform = virtual();
  const fn = (value: unknown) => {
    platform.spend(costMs);
    return value;
  };
  const harness = new SlotHarness({
    platform,
    vertices: [
      { id: "in" },
      { id: "v0", operators: [{ uid: "map", kind: "map", closures: { fn } }] },
      { id: "a", parallelism: edges[0]?.partitioning === "rebalance" ? 2 : 1 },
      { id: "b" },
    ],
    edges: [
      { from: "in", to: "v0" },
      ...edges.map((edge, i) => ({ from: "v0", to: i === 0 ? "a" : "b", ...edge })),
    ],
  });
  return { platform, harness, feed: harness.feed("e0") };
}

test("OUT-1: a row on an idle pipeline does not wait; one that follows within the timeout waits for its end, and for company", async () => {
  const { harness, feed } = mapTo([{ bufferTimeoutMs: 50 }]);
  const out = harness.tap("e1");
  await harness.pass(1);
  feed.rows(1);
  await harness.pass(1);
  expect(out()).toEqual([{ rows: [1] }]);
  for (let i = 2; i < 6; i++) {
    feed.rows(i);
    await harness.pass(10);
  }
  expect(out()).toEqual([]);
  await harness.pass(10);
  expect(out()).toEqual([{ rows: [2, 3, 4, 5] }]);
  await harness.pass(100);
  feed.rows(6);
  await harness.pass(1);
  expect(out()).toEqual([{ rows: [6] }]);
  harness.close();
});

test("OUT-1: each edge keeps its own timeout, however short another's is", async () => {
  const { harness, feed } = mapTo([{ bufferTimeoutMs: 0 }, { bufferTimeoutMs: 20 }], 0.5);
  const [quick, patient] = [harness.tap("e1"), harness.tap("e2")];
  await harness.pass(1);
  feed.rows(...range(200));
  await harness.pass(70);
  const batches = [quick(), patient()].map((seen) => seen.length);
  expect(batches[0]).toBeGreaterThan(20);
  expect(batches[1]).toBeGreaterThanOrEqual(2);
  expect(batches[1]).toBeLessThanOrEqual(4);
  harness.close();
});

test("OUT-1 OUT-2 TSK-2: without room on one channel nothing is taken, but rows of the others go, and nobody spins", async () => {
  const { harness, feed } = mapTo([{ partitioning: "rebalance" }]);
  const closed = harness.tap("e1", 0, 0, 0);
  const open = harness.tap("e1", 1 << 20, 0, 1);
  await harness.pass(1);
  // Large rows for the one without credit, small ones for the other, in batches of thirty.
  const rows = range(15).flatMap((i) => ["x".repeat(8_000), i]);
  let sent = 0;
  while (!harness.task("v0").outputs.full) {
    feed.rows(...rows);
    sent += rows.length;
    await harness.pass(0.1);
  }
  await harness.pass(20);
  const taken = harness.task("v0").chain.chain.recordsIn[0] ?? 0;
  expect(taken).toBeLessThan(sent);
  expect(rowsOf(open())).toHaveLength(Math.floor(taken / 2));
  expect(closed()).toEqual([]);
  const { events } = harness.platform;
  await harness.pass(10_000);
  expect(harness.platform.events - events).toBeLessThan(10);
  harness.close();
});

test("OUT-2: credit that arrives wakes the subtask", async () => {
  const { harness, feed } = mapTo([{}]);
  const out = harness.tap("e1", 60_000);
  await harness.pass(1);
  const text = "x".repeat(10_000);
  const seen: unknown[] = [];
  for (let i = 0; i < 60; i++) {
    if (feed.channel.credit > 11_000) feed.rows(`${i} ${text}`);
    await harness.pass(1);
  }
  for (let i = 0; i < 60; i++) {
    seen.push(...rowsOf(out()));
    await harness.pass(10);
  }
  expect(seen).toHaveLength(harness.task("v0").chain.chain.recordsIn[0] ?? 0);
  expect(seen.map((row) => Number.parseInt(row as string, 10))).toEqual(range(seen.length));
  harness.close();
});
