/**
 * A source's reader: gets splits over its input edge, hands out records, makes watermarks per split.
 *
 * SRD-1  A record leaves before the watermark that it causes; `watermarks/split-watermarks.ts` says which watermark that is.
 * SRD-2  Positions in the snapshot are behind exactly the records already emitted.
 * SRD-3  Idle time does not count while there was no room downstream.
 */
import { maxWatermark } from "@millrace/data";
import type { WatermarkConfig } from "@millrace/graph";
import type {
  Operator,
  OperatorDefinition,
  OperatorSetup,
  ReaderOutput,
  SourceDefinition,
  Split,
} from "@millrace/spi";
import { badRowOf, textOf } from "./bad-row.ts";
import { blame } from "./chain/culprit.ts";
import { asGiven, generatorOf, ReadableClock, timestampReader } from "./watermarks/generator.ts";
import { SplitWatermarks } from "./watermarks/split-watermarks.ts";

/** What the enumerator sends to one reader. */
export type Assignment =
  | { readonly subtask: number; readonly splits: readonly Split[] }
  | { readonly subtask: number; readonly noMoreSplits: true };
/** Asks for a split; the first of them says that the reader has not been given anything in this attempt. */
export const firstSplitHint = "first split";
export const requestSplitHint = "split";
const splitsList = "splits";

/** An unfinished split as it is stored, with the reader that holds it. */
export interface HeldSplit {
  readonly reader: number;
  /** How many readers there were. */
  readonly readers: number;
  readonly split: Split;
}

export const sourceOperator: OperatorDefinition = {
  kind: "source",
  inputs: 1,
  keyed: false,
  polls: true,
  create: createSource,
};

function createSource(setup: OperatorSetup): Operator {
  const { platform, mailbox, output } = setup;
  const source = setup.functions["source"] as SourceDefinition;
  const { watermarks, intervalMs = 200 } = setup.config as {
    readonly watermarks: WatermarkConfig;
    readonly intervalMs?: number;
  };
  const splits = new SplitWatermarks(watermarks, generatorOf(setup.functions), output);
  const read = timestampReader(watermarks, setup.functions, setup.task.uid);
  let given = false;
  const reader = source.createReader({
    subtask: setup.task.subtask,
    parallelism: setup.task.parallelism,
    platform,
    signal: setup.signal,
    metrics: setup.metrics,
    secrets: setup.secrets,
    requestSplit: () => setup.sendHint(given ? requestSplitHint : firstSplitHint),
    available: () => mailbox.execute(() => {}),
    fail: (error) =>
      mailbox.execute(() => {
        throw error;
      }),
    badRow: (error, text) =>
      setup.failed(error, {
        value: badRowOf(error, text, undefined),
        timestamp: Number.NaN,
        skipped() {},
        // It would not read better a second time.
        again() {
          throw error;
        },
      }),
  });
  const readerOutput: ReaderOutput = {
    emit(splitId, value, given) {
      let timestamp: number;
      try {
        timestamp = read(value, given);
      } catch (error) {
        blame(error, setup.task.uid);
        const place = reader.where?.(splitId, alone ?? 0) ?? `split ${splitId}`;
        return setup.failed(error, {
          value: badRowOf(error, textOf(value), place),
          timestamp: given,
          skipped() {},
          again: () => readerOutput.emit(splitId, value, given),
        });
      }
      emitting = splitId;
      splits.beforeEvent(splitId);
      output.emit(value, timestamp);
      splits.afterEvent(value, timestamp);
      emitting = undefined;
    },
    emitBatch(splitId, values, from, count) {
      const stamped = splits.byRecord ? from : stamp(values, from, count);
      // What must be looked at record by record, or has no timestamp.
      if (stamped === from) {
        if (output.full) return from;
        alone = from;
        readerOutput.emit(splitId, values[from], Number.NaN);
        alone = undefined;
        return from + 1;
      }
      emitting = splitId;
      splits.beforeEvent(splitId);
      const taken = output.emitBatch(values, timestamps, from, stamped);
      splits.afterEvents(timestamps, from, taken);
      emitting = undefined;
      return taken;
    },
    splitFinished: (splitId) => splits.finished(splitId),
    get full() {
      return output.full;
    },
  };
  let timestamps = new Float64Array(0);
  /** Sets the timestamps of records from `from` on; answers the first that has none. */
  const stamp = (values: readonly unknown[], from: number, count: number): number => {
    if (timestamps.length < count) timestamps = new Float64Array(count).fill(Number.NaN);
    if (read === asGiven) return count;
    let row = from;
    try {
      for (; row < count; row++) timestamps[row] = read(values[row], Number.NaN);
    } catch {
      // It is read again by itself, and its error told.
    }
    return row;
  };
  /** Split of the record that is on its way through the chain; an error leaves it. */
  let emitting: string | undefined;
  /** Row of it, where it is handed on by itself. */
  let alone: number | undefined;
  let stop = () => {};
  let ended = false;
  const clock = new ReadableClock(() => platform.clock.monotonic());
  const tick = () =>
    mailbox.execute(() => {
      if (ended) return;
      splits.onPeriodic(clock.look(output.full));
      arm();
    });
  // An interval of 0 means no periodic watermarks.
  const arm = () => {
    if (intervalMs > 0) stop = platform.timers.after(intervalMs, tick);
  };
  return {
    ownsWatermarks: true,
    open: arm,
    onElement(value) {
      const assignment = value as Assignment;
      if ("noMoreSplits" in assignment) reader.noMoreSplits();
      else {
        given = true;
        for (const { splitId } of assignment.splits) splits.added(splitId);
        // A reader may begin to read them.
        setup.attributed(() => reader.addSplits(assignment.splits));
      }
    },
    poll(maxRows) {
      try {
        const answer = reader.poll(readerOutput, maxRows);
        if (answer === "end") ended = true;
        return answer;
      } catch (error) {
        blame(error, setup.task.uid);
        throw error;
      }
    },
    position: () =>
      emitting === undefined
        ? undefined
        : (reader.where?.(emitting, alone ?? output.row) ?? `split ${emitting}`),
    endOfData() {
      output.emitWatermark(maxWatermark);
      return true;
    },
    snapshot() {
      const { subtask, parallelism } = setup.task;
      const held = reader
        .snapshot()
        .map((split): HeldSplit => ({ reader: subtask, readers: parallelism, split }));
      setup.lists.store(splitsList, "union", held);
    },
    onCheckpointCompleted: (id) => reader.onCheckpointCompleted?.(id),
    async close() {
      stop();
      await reader.close?.();
    },
  };
}
