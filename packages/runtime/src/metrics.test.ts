/** Records of a subtask that branches, by hand. */
import { type Committer, defineSink, sinkDefinitionOf } from "@millrace/spi";
import { expect, test } from "vitest";
import { collectMetrics } from "./metrics.ts";
import { SlotHarness } from "./slot-harness.fixture.ts";

type Output = (side: string, value: unknown) => void;

test("a subtask's numRecordsOut counts what leaves it, once per edge; an operator's what it emits, sides that are read included; committables are no records", async () => {
  const sink = defineSink({
    name: "files",
    kind: "two-phase",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({ write() {}, flush() {}, prepareCommit: () => [{}, {}, {}] }),
    createCommitter: () => ({}) as Committer,
  });
  const closures = { sink: sinkDefinitionOf(sink) };
  const harness = new SlotHarness({
    vertices: [
      { id: "in" },
      {
        id: "v0",
        operators: [
          {
            uid: "route",
            kind: "process",
            sideOutputs: { odd: { kind: "unknown" }, unread: { kind: "unknown" } },
            closures: {
              onElement(n: number, ctx: { output: Output; collect: (value: unknown) => void }) {
                if (n % 2 === 1) ctx.output("odd", n);
                ctx.output("unread", n);
                ctx.collect(n);
              },
            },
          },
          {
            uid: "third",
            kind: "filter",
            reads: { operator: 0 },
            closures: { fn: (n: number) => n % 3 === 0 },
          },
          { uid: "sink", kind: "sink", reads: { operator: 0 }, closures },
        ],
      },
      { id: "all", parallelism: 2 },
      { id: "odds" },
      { id: "thirds" },
      { id: "v1", operators: [{ uid: "sink/committer", kind: "sink-committer", closures }] },
    ],
    edges: [
      { from: "in", to: "v0" },
      { from: "v0", to: "all", partitioning: "broadcast" },
      { from: "v0", to: "odds", side: "odd" },
      { from: "v0", to: "thirds", fromOperator: 1 },
      { from: "v0", to: "v1", fromOperator: 2, partitioning: "global", bufferTimeoutMs: 0 },
    ],
  });
  const feed = harness.feed("e0");
  await harness.pass(1);
  feed.rows(...Array.from({ length: 12 }, (_, i) => i)).barrier(1);
  await harness.pass(20);
  expect(harness.failures).toEqual([]);
  const samples = harness.slots.flatMap(collectMetrics);
  const value = (vertex: string, name: string, operator?: string) =>
    samples.find(
      (sample) => sample.vertex === vertex && sample.name === name && sample.operator === operator,
    )?.value;
  // 12 to both consumers of "all", 6 odd ones, 4 of each third.
  expect(value("v0", "numRecordsOut")).toBe(12 + 6 + 4);
  expect(value("v0", "numRecordsIn")).toBe(12);
  expect(value("v0", "numRecordsOut", "route")).toBe(12 + 6);
  expect(value("v0", "numRecordsOut", "third")).toBe(4);
  expect(value("v0", "numRecordsIn", "sink")).toBe(12);
  expect(value("v0", "numRecordsOut", "sink")).toBe(0);
  expect(harness.task("v1").chain.chain.recordsIn[0]).toBe(3);
  expect(value("v1", "numRecordsIn")).toBe(0);
  harness.close();
});
