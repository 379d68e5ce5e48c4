/** One subtask from its first element to its last: order, ends, sources, calls that end later. */
import { type Committer, defineSink, type SourceDefinition, sinkDefinitionOf } from "@millrace/spi";
import { expect, test } from "vitest";
import { rowsOf, SlotHarness, type VertexSketch, virtual } from "./slot-harness.fixture.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test("TSK-1: what has begun is finished first: rows, watermark and barrier leave in the order in which they came", async () => {
  const platform = virtual();
  const fn = (value: unknown) => {
    platform.spend(1);
    return value;
  };
  const harness = new SlotHarness({
    platform,
    vertices: [
      { id: "in" },
      { id: "v0", operators: [{ uid: "map", kind: "map", closures: { fn } }] },
      { id: "out" },
    ],
    edges: [
      { from: "in", to: "v0" },
      { from: "v0", to: "out" },
    ],
  });
  const feed = harness.feed("e0");
  const out = harness.tap("e1");
  await harness.pass(1);
  feed.rows(0, 1, 2).watermark(5).rows(3, 4).barrier(1).rows(5).end();
  await harness.pass(50);
  const flat = out().flatMap((seen) => ("rows" in seen ? seen.rows : [seen]));
  expect(flat).toEqual([
    0,
    1,
    2,
    { watermark: 5 },
    3,
    4,
    { barrier: 1 },
    5,
    expect.anything(),
    { end: true },
  ]);
  harness.close();
});

test("TSK-3: all operators prepare, in chain order, before the barrier leaves", async () => {
  const log: string[] = [];
  const platform = virtual();
  const sink = (name: string) => ({
    sink: sinkDefinitionOf(
      defineSink({
        name,
        kind: "two-phase",
        inputType: { kind: "unknown" },
        describe: {},
        createWriter: () => ({
          write: (value) => void log.push(`${name} ${value}`),
          async flush(n) {
            log.push(`${name} flushes ${n}`);
            await new Promise<void>((resolve) => platform.timers.after(10, resolve));
          },
          prepareCommit(n) {
            log.push(`${name} prepares ${n}`);
            return [name];
          },
        }),
        createCommitter: () => ({}) as Committer,
      }),
    ),
  });
  const harness = new SlotHarness({
    platform,
    vertices: [
      { id: "in" },
      {
        id: "v0",
        operators: [
          { uid: "map", kind: "map", closures: { fn: (v: unknown) => v } },
          { uid: "a", kind: "sink", closures: sink("a"), reads: { operator: 0 } },
          { uid: "b", kind: "sink", closures: sink("b"), reads: { operator: 0 } },
        ],
      },
      { id: "out" },
    ],
    edges: [
      { from: "in", to: "v0" },
      { from: "v0", to: "out", fromOperator: 2 },
    ],
  });
  const feed = harness.feed("e0");
  const out = harness.tap("e1");
  await harness.pass(1);
  feed.rows(1).barrier(1).rows(2);
  await harness.pass(15);
  expect(out()).toEqual([]);
  await harness.pass(50);
  expect(log.slice(2)).toEqual([
    ...["a flushes 1", "a prepares 1", "b flushes 1", "b prepares 1"],
    ...["a 2", "b 2"],
  ]);
  expect(out()).toEqual([{ rows: [{ checkpointId: 1, committable: "b" }] }, { barrier: 1 }]);
  harness.close();
});

test("TSK-5: after its end of data a subtask answers barriers, as finished", async () => {
  const harness = new SlotHarness({
    vertices: [
      { id: "in" },
      { id: "v0", operators: [{ uid: "map", kind: "map", closures: { fn: (v: unknown) => v } }] },
    ],
    edges: [{ from: "in", to: "v0" }],
  });
  const feed = harness.feed("e0");
  await harness.pass(1);
  feed.rows(1).end().barrier(1);
  await harness.pass(20);
  expect(harness.events.filter(({ kind }) => kind === "end-of-data")).toHaveLength(1);
  expect(harness.snapshots(1)[0]?.finished).toBe(true);
  harness.close();
});

interface Numbers {
  readonly splitId: string;
  readonly next: number;
  readonly to: number;
}
/** Splits of numbers; a record says its split and its number. `costMs` is what making it takes. */
function numbers(splits: number, to: number, costMs: (ms: number) => void = () => {}) {
  const source: SourceDefinition<Numbers> = {
    name: "numbers",
    boundedness: "bounded",
    outputType: { kind: "unknown" },
    describe: {},
    createEnumerator(context, restored) {
      const left =
        (restored as Numbers[] | undefined) ??
        range(splits).map((i) => ({ splitId: `s${i}`, next: 0, to }));
      return {
        start() {},
        handleSplitRequest(subtask) {
          const next = left.shift();
          if (next === undefined) context.signalNoMoreSplits(subtask);
          else context.assign(subtask, [next]);
        },
        // The other way round than they were: whoever asks gets another's.
        addSplitsBack: (back) => void left.unshift(...[...back].reverse()),
        snapshot: () => [...left],
      };
    },
    createReader(context) {
      let own: Numbers[] = [];
      let noMore = false;
      let asked = false;
      return {
        addSplits(added) {
          own.push(...added);
          asked = false;
        },
        noMoreSplits() {
          noMore = true;
        },
        poll(output, maxRows) {
          for (let i = 0; i < maxRows && !output.full; i++) {
            const [split] = own;
            if (split === undefined) {
              if (noMore) return "end";
              if (!asked) context.requestSplit();
              asked = true;
              return "nothing";
            }
            if (split.next === split.to) {
              own = own.slice(1);
              output.splitFinished(split.splitId);
              continue;
            }
            own = [{ ...split, next: split.next + 1 }, ...own.slice(1)];
            costMs(1);
            output.emit(split.splitId, `${split.splitId}:${split.next}`, Number.NaN);
          }
          return "more";
        },
        snapshot: () => own,
      };
    },
  };
  return source;
}
const watermarks = { kind: "none", delayMs: 0, timestampField: null, idlenessMs: null } as const;
function reading(source: SourceDefinition<Numbers>, readers: number): readonly VertexSketch[] {
  const closures = { source };
  return [
    {
      id: "v0",
      role: "enumerator",
      operators: [
        { uid: "src/enumerator", kind: "source-enumerator", config: { readers }, closures },
      ],
    },
    {
      id: "v1",
      parallelism: readers,
      operators: [{ uid: "src", kind: "source", config: { watermarks, intervalMs: 0 }, closures }],
    },
  ];
}

test("TSK-6: a trigger that comes twice, or late, begins no second snapshot", async () => {
  const harness = new SlotHarness({
    vertices: [...reading(numbers(1, 9), 1), { id: "out" }],
    edges: [
      { from: "v0", to: "v1", partitioning: "assign", bufferTimeoutMs: 0 },
      { from: "v1", to: "out" },
    ],
  });
  await harness.pass(10);
  for (const id of [1, 1]) harness.trigger(id);
  await harness.pass(10);
  for (const id of [1, 3, 2, 3]) harness.trigger(id);
  await harness.pass(10);
  const begun = harness.events.flatMap((event) =>
    event.kind === "acknowledged" ? [`${event.snapshot.vertex} ${event.checkpointId}`] : [],
  );
  expect(begun.toSorted()).toEqual(["v0 1", "v0 3", "v1 1", "v1 3"]);
  harness.close();
});
test("a reader may ask for its first split while it is made", async () => {
  const source = numbers(1, 3);
  const harness = new SlotHarness({
    vertices: [
      ...reading(
        {
          ...source,
          createReader(context) {
            context.requestSplit();
            return source.createReader(context);
          },
        },
        1,
      ),
      { id: "out" },
    ],
    edges: [
      { from: "v0", to: "v1", partitioning: "assign", bufferTimeoutMs: 0 },
      { from: "v1", to: "out" },
    ],
  });
  const tap = harness.tap("e1", 1 << 20);
  await harness.pass(30);
  expect(harness.failures).toEqual([]);
  expect(rowsOf(tap())).toEqual(["s0:0", "s0:1", "s0:2"]);
  harness.close();
});

test("SRC-2 ENU-2: after a restore at the same parallelism a split goes on where it was; at another each row still comes once", async () => {
  const platform = virtual();
  const run = (readers: number, more: object = {}) =>
    new SlotHarness({
      platform,
      vertices: [
        ...reading(
          numbers(3, 60, (ms) => platform.spend(ms)),
          readers,
        ),
        { id: "out", parallelism: readers },
      ],
      edges: [
        { from: "v0", to: "v1", partitioning: "assign", bufferTimeoutMs: 0 },
        { from: "v1", to: "out" },
      ],
      ...more,
    });
  const rowsBy = async (harness: SlotHarness, readers: number, ms: number) => {
    const taps = range(readers).map((i) => harness.tap("e1", 1 << 20, i, i));
    await harness.pass(ms);
    return () => taps.map((tap) => rowsOf(tap()) as readonly string[]);
  };
  const first = run(2);
  const seen = await rowsBy(first, 2, 20);
  first.trigger(1);
  await first.pass(20);
  first.close();
  const before = seen();
  const manifest = first.manifest(1);
  // A reader's snapshot is behind the rows that it has emitted; what came after the barrier is not counted.
  const splitOf = (rows: readonly string[]) => [...new Set(rows.map((row) => row.split(":")[0]))];
  expect(before.map(splitOf)).toEqual([["s0"], ["s1"]]);

  const second = run(2, { attempt: 2, restore: manifest });
  const again = await rowsBy(second, 2, 600);
  const rows = again();
  expect(rows.map((each) => splitOf(each)[0])).toEqual(["s0", "s1"]);
  expect(second.failures).toEqual([]);
  second.close();

  const third = run(1, { attempt: 3, restore: manifest });
  const all = (await rowsBy(third, 1, 900))().flat();
  expect(new Set(all).size).toBe(all.length);
  expect([...all].sort()).toEqual([...rows.flat()].sort());
  third.close();
});

test("LOD-2: a source that computes is busy, and so is what runs behind calls that end later", async () => {
  const platform = virtual();
  const source = new SlotHarness({
    platform,
    vertices: reading(
      numbers(1, 1_000, (ms) => platform.spend(ms)),
      1,
    ),
    edges: [{ from: "v0", to: "v1", partitioning: "assign", bufferTimeoutMs: 0 }],
  });
  await source.pass(300);
  const share = (harness: SlotHarness, vertex: string) =>
    harness.task(vertex).load.totalMs("busy") / 300;
  expect(share(source, "v1")).toBeGreaterThan(0.9);
  source.close();

  const after = virtual();
  const calls = new SlotHarness({
    platform: after,
    vertices: [
      { id: "in" },
      {
        id: "v0",
        operators: [
          {
            uid: "async",
            kind: "mapAsync",
            config: { timeoutMs: 60_000, capacity: 400, ordered: true, retry: null },
            closures: { call: async (value: unknown) => value },
          },
          {
            uid: "slow",
            kind: "map",
            closures: {
              fn: (value: unknown) => {
                after.spend(1);
                return value;
              },
            },
          },
        ],
      },
    ],
    edges: [{ from: "in", to: "v0" }],
  });
  const feed = calls.feed("e0");
  await calls.pass(1);
  feed.rows(...range(390));
  await calls.pass(300);
  expect(share(calls, "v0")).toBeGreaterThan(0.9);
  calls.close();
});
