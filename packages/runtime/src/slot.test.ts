import { expect, test } from "vitest";
import { collectMetrics } from "./metrics.ts";
import { type OperatorSketch, rowsOf, SlotHarness, virtual } from "./slot-harness.fixture.ts";

type Fn = (value: unknown) => unknown;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Subtasks of one operator each, one slot for all; every one between an edge from outside and one to outside. */
function slotOf(...operators: readonly OperatorSketch[]) {
  const platform = virtual();
  const harness = new SlotHarness({
    platform,
    vertices: operators.flatMap((operator, i) => [
      { id: `in${i}` },
      { id: `v${i}`, operators: [operator] },
      { id: `out${i}` },
    ]),
    edges: operators.flatMap((_, i) => [
      { from: `in${i}`, to: `v${i}` },
      { from: `v${i}`, to: `out${i}` },
    ]),
  });
  const feed = (i: number) => harness.feed(`e${2 * i}`);
  const out = (i: number) => harness.tap(`e${2 * i + 1}`);
  return { platform, harness, feed, out };
}
/** A map that takes `costMs` for a row. */
function slowMap(uid: string, costMs: () => number, fn: Fn = (v) => v): OperatorSketch {
  return {
    uid,
    kind: "map",
    closures: {
      fn: (value: unknown) => {
        spend(costMs());
        return fn(value);
      },
    },
  };
}
let spend: (ms: number) => void = () => {};
/** Gaps between looks at the clock that are due every ms. */
function watchLoop(platform: ReturnType<typeof virtual>): readonly number[] {
  const gaps: number[] = [];
  let last = platform.now;
  const look = () => {
    gaps.push(platform.now - last);
    last = platform.now;
    platform.timers.after(1, look);
  };
  platform.timers.after(1, look);
  return gaps;
}

test("SLT-1 TSK-4 OUT-1: between rows that take a ms others have their turn, and the first is out in time", async () => {
  const { platform, harness, feed, out } = slotOf(slowMap("slow", () => 1));
  spend = (ms) => platform.spend(ms);
  const seen = out(0);
  const input = feed(0);
  await harness.pass(1);
  input.rows(...range(200));
  const from = platform.now;
  const gaps = watchLoop(platform);
  let firstMs = Number.NaN;
  while (Number.isNaN(firstMs) && platform.now < from + 100) {
    await harness.pass(1);
    if (rowsOf(seen()).length > 0) firstMs = platform.now - from;
  }
  expect(firstMs).toBeLessThanOrEqual(5 + 3);
  await harness.pass(300);
  expect(rowsOf(seen()).at(-1)).toBe(199);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(3);
  harness.close();
});

test("SLC-1: rows that turn slow are noticed within as many as pass between two looks", async () => {
  let cost = 0.001;
  const { platform, harness, feed } = slotOf(
    slowMap(
      "map",
      () => cost,
      (v) => {
        if (v === 500) cost = 1;
        return v;
      },
    ),
  );
  spend = (ms) => platform.spend(ms);
  const input = feed(0);
  await harness.pass(1);
  input.rows(...range(600));
  const gaps = watchLoop(platform);
  await harness.pass(200);
  expect(harness.task("v0").chain.chain.recordsIn[0]).toBe(600);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(17);
  expect(gaps.filter((gap) => gap > 3)).toHaveLength(1);
  harness.close();
});

test("SLC-2: rows longer than a slice go on one by one, and a slot's other subtasks in between", async () => {
  const { platform, harness, feed, out } = slotOf(
    slowMap("slow", () => 20),
    slowMap("quick", () => 0.001),
  );
  spend = (ms) => platform.spend(ms);
  const quick = out(1);
  const [a, b] = [feed(0), feed(1)];
  await harness.pass(1);
  a.rows(...range(10));
  b.rows(...range(10));
  await harness.pass(50);
  expect(harness.task("v0").chain.chain.recordsIn[0]).toBeLessThan(5);
  expect(rowsOf(quick())).toHaveLength(10);
  await harness.pass(300);
  expect(harness.task("v0").chain.chain.recordsIn[0]).toBe(10);
  harness.close();
});

test("SLT-1: timers that a watermark fires stop at the slice's end and go on in the next, each once", async () => {
  const fired: number[] = [];
  const { platform, harness, feed, out } = slotOf({
    uid: "windows",
    kind: "window",
    keys: [{ fields: ["k"], single: true }],
    config: {
      assigner: { kind: "tumbling-event-time", sizeMs: 10_000, offsetMs: 0 },
      allowedLatenessMs: 0,
      lateSide: null,
      fn: { kind: "process", windowState: {}, globalState: {} },
    } as never,
    closures: {
      onWindow: (records: readonly { readonly k: number }[]) => {
        spend(1);
        fired.push(records[0]?.k ?? -1);
      },
    },
  });
  spend = (ms) => platform.spend(ms);
  const seen = out(0);
  const input = feed(0);
  await harness.pass(1);
  input.rows(...range(100).map((k) => ({ k }))).watermark(20_000);
  await harness.pass(5);
  const gaps = watchLoop(platform);
  await harness.pass(200);
  expect(harness.failures).toEqual([]);
  expect([...fired].sort((x, y) => x - y)).toEqual(range(100));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(3);
  expect(seen().at(-1)).toEqual({ watermark: 20_000 });
  harness.close();
});

test.each([true, false])(
  "SLT-1: results that may all leave at once (ordered: %s) leave the loop to others",
  async (ordered) => {
    let release = () => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const platform = virtual();
    const seen: unknown[] = [];
    const harness = new SlotHarness({
      platform,
      vertices: [
        { id: "in" },
        {
          id: "v0",
          operators: [
            {
              uid: "async",
              kind: "mapAsync",
              config: { timeoutMs: 60_000, capacity: 400, ordered, retry: null },
              closures: { call: (v: number) => (v === 0 || !ordered ? first.then(() => v) : v) },
            },
            {
              uid: "slow",
              kind: "map",
              closures: {
                fn: (value: unknown) => {
                  platform.spend(1);
                  seen.push(value);
                },
              },
            },
          ],
        },
      ],
      edges: [{ from: "in", to: "v0" }],
    });
    const feed = harness.feed("e0");
    await harness.pass(1);
    feed.rows(...range(200)).watermark(1);
    await harness.pass(20);
    expect(seen).toEqual([]);
    const gaps = watchLoop(platform);
    release();
    await harness.pass(500);
    expect(seen).toEqual(range(200));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(4 + 3);
    harness.close();
  },
);

test("SLT-2: the first failure is reported, once, and ends the work of the whole slot", async () => {
  const { harness, feed, out } = slotOf(
    slowMap(
      "bad",
      () => 0,
      () => {
        throw new Error("no");
      },
    ),
    slowMap("good", () => 0),
  );
  const seen = out(1);
  const [bad, good] = [feed(0), feed(1)];
  await harness.pass(1);
  bad.rows(1).rows(2);
  await harness.pass(10);
  good.rows(1);
  await harness.pass(10);
  expect(harness.failures).toEqual(["Error: no"]);
  expect(seen()).toEqual([]);
  harness.close();
});

test("SLT-3: an idle slot does nothing by itself", async () => {
  const { platform, harness, feed, out } = slotOf(slowMap("map", () => 0));
  const seen = out(0);
  const input = feed(0);
  await harness.pass(1);
  input.rows(1);
  await harness.pass(100);
  expect(rowsOf(seen())).toEqual([1]);
  // Credit goes back.
  await harness.pass(10);
  const { events } = platform;
  await harness.pass(60_000);
  expect(platform.events).toBe(events);
  harness.close();
});

test("SLT-4: what user code throws at the end of a finished job is logged, and all are FINISHED", async () => {
  const closing = (uid: string, close: () => unknown): OperatorSketch => ({
    uid,
    kind: "process",
    closures: { onElement: () => {}, close },
  });
  const { harness } = slotOf(
    closing("bad", async () => {
      throw new Error("at the end");
    }),
    closing("good", () => {}),
  );
  await harness.pass(1);
  await harness.slots[0]?.finish();
  expect(
    harness.events.flatMap((event) =>
      event.kind === "state" && event.state === "FINISHED" ? [event.vertex] : [],
    ),
  ).toEqual(["v0", "v1"]);
  expect(harness.logged).toEqual([
    ["closing a subtask of a finished job failed", "Error: at the end"],
  ]);
  harness.close();
});

test("LOD-1 LOD-2: a subtask that computes is busy, the one that waits for its turn or for room is backpressured", async () => {
  const { platform, harness, feed } = slotOf(
    slowMap("heavy", () => 1),
    slowMap("light", () => 0.01),
    slowMap("none", () => 0),
  );
  spend = (ms) => platform.spend(ms);
  const [heavy, light] = [feed(0), feed(1)];
  await harness.pass(1);
  heavy.rows(...range(500));
  light.rows(...range(4_000));
  await harness.pass(400);
  const load = (vertex: string) => {
    const meter = harness.task(vertex).load;
    return (["busy", "idle", "backpressured"] as const).map((state) => meter.totalMs(state));
  };
  const [busy = 0, idle = 0, pressed = 0] = load("v0");
  expect(busy + idle + pressed).toBeGreaterThan(390);
  expect(busy).toBeGreaterThan(pressed);
  expect(load("v2")[1]).toBeGreaterThan(380);
  const metric = (vertex: string, name: string) =>
    harness.slots
      .flatMap(collectMetrics)
      .find((sample) => sample.vertex === vertex && sample.name === name)?.value;
  expect(metric("v0", "accumulateBusyTimeMs")).toBe(harness.task("v0").load.totalMs("busy"));
  harness.close();
});
