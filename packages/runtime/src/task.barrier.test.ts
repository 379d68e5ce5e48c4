/** What may run while a barrier is being prepared, and what a snapshot holds. */
import { type Committer, defineSink, sinkDefinitionOf } from "@millrace/spi";
import { expect, test } from "vitest";
import { SlotHarness, virtual } from "./slot-harness.fixture.ts";

/** `mapAsync` into a sink whose file is closed at the barrier, and durable ten ms later. */
function asyncIntoSlowSink() {
  const platform = virtual();
  /** By checkpoint, the rows of the file that it commits; 0: not yet closed. */
  const files = new Map<number, unknown[]>([[0, []]]);
  const sink = defineSink({
    name: "files",
    kind: "two-phase",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({
      write: (value) => void files.get(0)?.push(value),
      async flush(checkpointId) {
        files.set(checkpointId, files.get(0) ?? []);
        files.set(0, []);
        await new Promise<void>((resolve) => platform.timers.after(10, resolve));
      },
      prepareCommit: () => [],
    }),
    createCommitter: () => ({}) as Committer,
  });
  const call = (value: unknown) =>
    new Promise((resolve) => platform.timers.after(5, () => resolve(value)));
  const options = {
    platform,
    vertices: [
      { id: "in" },
      {
        id: "v0",
        operators: [
          {
            uid: "async",
            kind: "mapAsync",
            config: { timeoutMs: 1_000, capacity: 10, ordered: true, retry: null },
            closures: { call },
          },
          { uid: "sink", kind: "sink", closures: { sink: sinkDefinitionOf(sink) } },
        ],
      },
    ],
    edges: [{ from: "in", to: "v0" }],
  };
  return { files, options };
}

test("TSK-2 MBX-2: a result that comes while the sink prepares its file goes into the next one, and its input into the snapshot", async () => {
  const { files, options } = asyncIntoSlowSink();
  const first = new SlotHarness(options);
  const feed = first.feed("e0");
  await first.pass(1);
  feed.rows("a", "b").barrier(1);
  // The calls end at 5 ms, the sink has prepared at 10 ms.
  await first.pass(30);
  expect(first.failures).toEqual([]);
  expect(first.snapshots(1)).toHaveLength(1);
  // The attempt fails after checkpoint 1: what its file does not hold must come again.
  const committed = [...(files.get(1) ?? [])];
  first.close();
  const second = new SlotHarness({ ...options, attempt: 2, restore: first.manifest(1) });
  files.set(0, []);
  await second.pass(30);
  expect(second.failures).toEqual([]);
  expect([...committed, ...(files.get(0) ?? [])]).toEqual(["a", "b"]);
  second.close();
});
