import { memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { rowsOf, SlotHarness, virtual } from "./slot-harness.fixture.ts";

/** A running sum per key over a store that takes `delayMs` for each object, or fails. */
function sums(options: { readonly delayMs?: () => number; readonly fails?: () => boolean } = {}) {
  const platform = virtual();
  const memory = memoryBlobStore();
  const put: typeof memory.put = async (key, bytes) => {
    const ms = options.delayMs?.() ?? 0;
    if (ms > 0) await new Promise<void>((resolve) => platform.timers.after(ms, resolve));
    if (options.fails?.() === true) throw new Error("the store is away");
    return memory.put(key, bytes);
  };
  const store = Object.assign(Object.create(memory) as typeof memory, { put });
  const vertices = [
    { id: "in" },
    {
      id: "v0",
      operators: [
        {
          uid: "sums",
          kind: "rolling",
          keys: [{ fields: ["k"], single: true }],
          config: { fn: "sum", field: "n", first: false },
        },
      ],
    },
    { id: "out" },
  ];
  const edges = [
    { from: "in", to: "v0" },
    { from: "v0", to: "out" },
  ];
  const open = (more: { readonly attempt?: number; readonly restore?: never } = {}) =>
    new SlotHarness({ platform, store, vertices, edges, ...more });
  return { open };
}
const rows = (count: number, n: number) => Array.from({ length: count }, (_, k) => ({ k, n }));

test("SNP-4: a barrier that overtakes the word that its base is complete is written on top of it", async () => {
  const harness = sums().open();
  const feed = harness.feed("e0");
  await harness.pass(1);
  feed.rows(...rows(100, 1)).barrier(1);
  await harness.pass(10);
  feed.rows({ k: 1, n: 1 }).barrier(2, 1);
  await harness.pass(10);
  harness.completed(1);
  await harness.pass(10);
  const objects = (n: number) =>
    harness.snapshots(n)[0]?.operators[0]?.segments.map(({ object, rows }) => [object, rows]) ?? [];
  expect(objects(1)).toHaveLength(1);
  expect(objects(2)[0]).toEqual(objects(1)[0]);
  expect(objects(2)[1]?.[1]).toBe(1);
  harness.close();
});

test("SNP-4: a newer barrier gives up an older snapshot, an abort any: nothing is acknowledged for them", async () => {
  let delay = 50;
  const harness = sums({ delayMs: () => delay }).open();
  const feed = harness.feed("e0");
  await harness.pass(1);
  feed.rows(...rows(10, 1)).barrier(1);
  await harness.pass(10);
  delay = 0;
  feed.barrier(2);
  await harness.pass(100);
  expect([1, 2].map((n) => harness.snapshots(n).length)).toEqual([0, 1]);
  delay = 50;
  feed.rows({ k: 1, n: 1 }).barrier(3);
  await harness.pass(10);
  harness.aborted(3);
  await harness.pass(100);
  expect(harness.snapshots(3)).toEqual([]);
  expect(harness.failures).toEqual([]);
  harness.close();
});

test("SNP-1 SNP-2: input goes on while a snapshot is written, and is not in it; its object is named by attempt and number", async () => {
  const { open } = sums({ delayMs: () => 50 });
  const first = open();
  const feed = first.feed("e0");
  const out = first.tap("e1");
  await first.pass(1);
  feed
    .rows(...rows(3, 1))
    .barrier(1)
    .rows(...rows(3, 10));
  await first.pass(20);
  expect(rowsOf(out())).toHaveLength(6);
  expect(first.snapshots(1)).toEqual([]);
  await first.pass(60);
  expect(first.snapshots(1)[0]?.uploaded[0]?.object).toMatch(/0{9}1-0{9}1\.0{9}1\//);
  first.close();
  const second = open({ attempt: 2, restore: first.manifest(1) as never });
  const again = second.feed("e0");
  const sums2 = second.tap("e1");
  await second.pass(1);
  again.rows(...rows(3, 100));
  await second.pass(20);
  expect(rowsOf(sums2())).toEqual(rows(3, 101));
  second.close();
});

test("SNP-3: until the live watermark has passed the restored one, that one is stored", async () => {
  const { open } = sums();
  const first = open();
  const feed = first.feed("e0");
  await first.pass(1);
  feed.watermark(1_000).barrier(1);
  await first.pass(20);
  first.close();
  const second = open({ attempt: 2, restore: first.manifest(1) as never });
  const again = second.feed("e0");
  await second.pass(1);
  again.watermark(10).barrier(2);
  await second.pass(20);
  again.watermark(2_000).barrier(3);
  await second.pass(20);
  const watermarks = [2, 3].map((n) => second.snapshots(n)[0]?.operators[0]?.watermark);
  expect(watermarks).toEqual([1_000, 2_000]);
  second.close();
});

test("a snapshot that can't be written is declined, and the subtask goes on", async () => {
  let away = true;
  const harness = sums({ fails: () => away }).open();
  const feed = harness.feed("e0");
  const out = harness.tap("e1");
  await harness.pass(1);
  feed.rows(...rows(3, 1)).barrier(1);
  await harness.pass(20);
  expect(harness.events.filter(({ kind }) => kind === "declined")).toMatchObject([
    { checkpointId: 1, vertex: "v0", subtask: 0 },
  ]);
  away = false;
  feed.rows(...rows(3, 1)).barrier(2);
  await harness.pass(20);
  expect(rowsOf(out())).toHaveLength(6);
  expect(harness.snapshots(2)[0]?.operators[0]?.segments.map((s) => s.rows)).toEqual([3]);
  harness.close();
});
