import { expect, test } from "vitest";
import { channelWindowBytes } from "./gate.ts";
import { rowsOf, SlotHarness } from "./slot-harness.fixture.ts";

/** Two producers outside, one subtask that hands on what it gets, one consumer outside. */
function twoInputs() {
  const harness = new SlotHarness({
    vertices: [
      { id: "in", parallelism: 2 },
      {
        id: "v0",
        operators: [{ uid: "map", kind: "map", closures: { fn: (v: unknown) => v } }],
      },
      { id: "out" },
    ],
    edges: [
      { from: "in", to: "v0", partitioning: "rebalance" },
      { from: "v0", to: "out", bufferTimeoutMs: 0 },
    ],
  });
  return {
    harness,
    a: harness.feed("e0", 0, 0),
    b: harness.feed("e0", 0, 1),
    out: harness.tap("e1"),
  };
}

test("GAT-1 GAT-2: what follows a barrier on one channel waits until the barrier is there on every channel", async () => {
  const { harness, a, b, out } = twoInputs();
  await harness.pass(1);
  a.rows("a1").barrier(1).rows("a2");
  b.rows("b1");
  await harness.pass(10);
  expect([...rowsOf(out())].sort()).toEqual(["a1", "b1"]);
  b.rows("b2").barrier(1).rows("b3");
  await harness.pass(10);
  const seen = out();
  const barrier = seen.findIndex((each) => "barrier" in each);
  expect(rowsOf(seen.slice(0, barrier))).toEqual(["b2"]);
  expect([...rowsOf(seen.slice(barrier))].sort()).toEqual(["a2", "b3"]);
  expect(harness.snapshots(1)[0]?.timings.alignmentMs).toBeGreaterThanOrEqual(10);
  harness.close();
});

test("GAT-2: an abort releases what its barrier held back, and that barrier means nothing where it still comes", async () => {
  const { harness, a, b, out } = twoInputs();
  await harness.pass(1);
  a.barrier(1).rows("a1");
  await harness.pass(10);
  expect(out()).toEqual([]);
  harness.aborted(1);
  await harness.pass(10);
  expect(rowsOf(out())).toEqual(["a1"]);
  b.barrier(1).rows("b1");
  await harness.pass(10);
  expect(out()).toEqual([{ rows: ["b1"] }]);
  a.barrier(2);
  b.barrier(2);
  await harness.pass(10);
  expect(out()).toEqual([{ barrier: 2 }]);
  expect([harness.snapshots(1), harness.snapshots(2)].map(({ length }) => length)).toEqual([0, 1]);
  harness.close();
});

test("GAT-2: a subtask that learns of the abort first does not align when the barriers come", async () => {
  const { harness, a, b, out } = twoInputs();
  await harness.pass(1);
  harness.aborted(1);
  a.barrier(1).rows("a1");
  b.barrier(1).rows("b1");
  await harness.pass(10);
  expect([...rowsOf(out())].sort()).toEqual(["a1", "b1"]);
  expect(harness.snapshots(1)).toEqual([]);
  harness.close();
});

test("GAT-3: a channel that is held back takes no more than its window", async () => {
  const { harness, a } = twoInputs();
  await harness.pass(1);
  a.barrier(1);
  const row = "x".repeat(10_000);
  let sent = 0;
  for (; a.channel.credit > 11_000 && sent < 1_000; sent++) a.rows(row);
  await harness.pass(20);
  expect(a.channel.credit).toBeLessThan(11_000);
  expect(harness.task("v0").gate.queuedBytes).toBeLessThanOrEqual(channelWindowBytes);
  harness.aborted(1);
  await harness.pass(20);
  expect(a.channel.credit).toBeGreaterThan(200_000);
  harness.close();
});

test("GAT-3: a batch's bytes are granted when the next element is asked for, not before", async () => {
  const fn = (value: unknown) => {
    during = a.credit;
    return value;
  };
  const harness = new SlotHarness({
    vertices: [
      { id: "in" },
      { id: "v0", operators: [{ uid: "map", kind: "map", closures: { fn } }] },
      { id: "out" },
    ],
    edges: [
      { from: "in", to: "v0" },
      { from: "v0", to: "out", bufferTimeoutMs: 0 },
    ],
  });
  let during = 0;
  const feed = harness.feed("e0");
  const a = feed.channel;
  await harness.pass(1);
  expect(a.credit).toBe(channelWindowBytes);
  feed.rows("x".repeat(1_000));
  await harness.pass(10);
  expect(during).toBeLessThanOrEqual(channelWindowBytes - 1_000);
  expect(a.credit).toBe(channelWindowBytes);
  harness.close();
});

test("GAT-4: a watermark comes out when the minimum rises; an ended channel holds nothing back", async () => {
  const { harness, a, b, out } = twoInputs();
  await harness.pass(1);
  a.watermark(10);
  await harness.pass(10);
  expect(out()).toEqual([]);
  b.watermark(5);
  await harness.pass(10);
  expect(out()).toEqual([{ watermark: 5 }]);
  b.end();
  await harness.pass(10);
  expect(out()).toEqual([{ watermark: 10 }]);
  a.end();
  await harness.pass(10);
  expect(out().at(-1)).toEqual({ end: true });
  harness.close();
});
