/** Cases for the operators at a job's edges: readers, enumerators, writers, committers; with a small source and a small sink. */

import { unknownType } from "@millrace/data";
import type { WatermarkConfig } from "@millrace/graph";
import type { SinkDefinition, SourceDefinition, Split } from "@millrace/spi";
import type { Step, VerifyCase } from "@millrace/testkit";
import { type Assignment, firstSplitHint, type HeldSplit, requestSplitHint } from "../source.ts";

interface ListSplit extends Split {
  readonly items: readonly number[];
  readonly position: number;
}

/** Splits are lists of numbers, dealt so many at a time and each by itself; a record's own timestamp is its value. */
export function listSource(splits: readonly ListSplit[], atATime = 1): SourceDefinition<ListSplit> {
  return {
    name: "lists",
    boundedness: "bounded",
    outputType: unknownType,
    describe: {},
    createEnumerator(context, restored) {
      const left = (restored as ListSplit[] | undefined) ?? [...splits];
      return {
        start: () => {},
        handleSplitRequest(subtask) {
          if (left.length === 0) context.signalNoMoreSplits(subtask);
          for (const next of left.splice(0, atATime)) context.assign(subtask, [next]);
        },
        addSplitsBack: (back) => void left.unshift(...back),
        snapshot: () => [...left],
      };
    },
    createReader(context) {
      let own: ListSplit[] = [];
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
          for (let rows = 0; own.length > 0; rows++) {
            if (rows === maxRows || output.full) return "more";
            const { splitId, items, position } = own[0] as ListSplit;
            const value = items[position] as number;
            // Behind the record before it is emitted: a snapshot never falls between the two.
            if (position + 1 < items.length) own[0] = { splitId, items, position: position + 1 };
            else own = own.slice(1);
            output.emit(splitId, value, value);
            if (position + 1 === items.length) output.splitFinished(splitId);
          }
          if (noMore) return "end";
          if (!asked) context.requestSplit();
          asked = true;
          return "nothing";
        },
        snapshot: () => own,
      };
    },
  };
}

const split = (splitId: string, ...items: number[]): ListSplit => ({ splitId, items, position: 0 });
const assign = (...splits: ListSplit[]) => ({
  kind: "element" as const,
  value: { subtask: 0, splits } satisfies Assignment,
});
const noMore: Step = {
  kind: "element",
  to: "all",
  value: { subtask: 0, noMoreSplits: true } satisfies Assignment,
};
const poll: Step = { kind: "poll" };
const tick: Step = { kind: "advance", ms: 250 };
const watermarks: WatermarkConfig = {
  kind: "bounded",
  delayMs: 2,
  timestampField: null,
  idlenessMs: 600,
};

export const sourceCases: readonly VerifyCase[] = [
  {
    name: "splits come one by one",
    config: { watermarks, intervalMs: 200 },
    ownWatermarks: true,
    make: () => ({
      functions: { source: listSource([]) },
      // Between assignment and poll a restore brings the splits back from the list.
      restored: (lists, parallelism) =>
        (lists("splits") as readonly HeldSplit[]).map(({ reader, readers, split }, i) => ({
          ...assign(split as ListSplit),
          to: readers === parallelism ? reader : i,
        })),
      steps: [
        poll,
        assign(split("a", 1, 5, 3), split("b", 2)),
        poll,
        tick,
        assign(split("c", 10, 11)),
        poll,
        tick,
        tick,
        tick,
        tick,
        assign(split("d", 7, 30)),
        poll,
        noMore,
        poll,
        { kind: "end" },
      ],
    }),
  },
];

const ask = (from: number): Step => ({ kind: "hint", from, hint: requestSplitHint });
const letters = ["a", "b", "c", "d", "e"].map((splitId, i) => split(splitId, i));
export const enumeratorCases: readonly VerifyCase[] = [
  {
    name: "two splits are dealt on each request",
    config: { readers: 2 },
    single: true,
    make: () => ({
      functions: { source: listSource(letters, 2) },
      steps: [ask(0), ask(1), poll, ask(0), ask(0), poll, ask(1), poll],
    }),
  },
  {
    name: "splits are dealt on request",
    config: { readers: 2 },
    single: true,
    make: () => ({
      functions: { source: listSource([split("a", 1), split("b", 2), split("c", 3)]) },
      steps: [
        { kind: "hint", from: 0, hint: firstSplitHint },
        poll,
        ask(1),
        { kind: "hint", from: 1, hint: "else" },
        ask(1),
        poll,
        ask(0),
        ask(1),
        poll,
      ],
    }),
  },
];

interface World {
  readonly committed: unknown[];
  readonly aborted: unknown[];
}
const twoPhaseSink = (world: World): SinkDefinition => ({
  name: "memory",
  kind: "two-phase",
  inputType: unknownType,
  describe: {},
  createWriter() {
    let rows: unknown[] = [];
    return {
      write: (value) => void rows.push(value),
      drain: () => (rows.length % 2 === 0 ? Promise.resolve() : undefined),
      flush: async () => {},
      prepareCommit() {
        const prepared = rows;
        rows = [];
        return prepared;
      },
    };
  },
  createCommitter: () => ({
    async commit(committables) {
      for (const each of committables)
        if (!world.committed.includes(each)) world.committed.push(each);
    },
    async abortOthers(keep) {
      world.aborted.push([...keep]);
    },
  }),
});

const el = (value: unknown, ts = 1): Step => ({ kind: "element", value, ts });
export const sinkCases: readonly VerifyCase[] = [
  {
    name: "what is written is prepared at barriers",
    make: () => ({
      functions: { sink: twoPhaseSink({ committed: [], aborted: [] }) },
      steps: [
        el("a"),
        el("b"),
        el("c"),
        { kind: "watermark", watermark: 5 },
        el("d"),
        { kind: "end" },
      ],
    }),
    // Which checkpoint takes a row depends on when it comes: only the rows are compared.
    compare: "multiset",
    project: (event) =>
      event.kind === "record"
        ? (event.value as { readonly committable: unknown }).committable
        : event,
    barrierAtEnd: true,
  },
];

const prepared = (checkpointId: number, committable: string): Step =>
  el({ checkpointId, committable });
export const committerCases: readonly VerifyCase[] = [
  {
    name: "commits follow permits, in order, each once",
    single: true,
    make: () => {
      const world: World = { committed: [], aborted: [] };
      return {
        functions: { sink: twoPhaseSink(world) },
        steps: [
          prepared(1, "a"),
          prepared(1, "b"),
          prepared(2, "c"),
          { kind: "commit", checkpointId: 1, sweep: true },
          prepared(3, "d"),
          { kind: "commit", checkpointId: 2, sweep: false },
          { kind: "commit", checkpointId: 3, sweep: true },
          prepared(4, "e"),
          { kind: "end" },
        ],
        effects: () => world,
      };
    },
  },
];
