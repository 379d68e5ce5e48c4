/**
 * A source's reader: gets splits over its input edge, hands out records, makes watermarks per split.
 *
 * SRD-1  The output watermark is the minimum over the splits that are active; a finished split leaves it (SRC-08, WM-05).
 * SRD-2  A reader without splits that may still get some is idle: it does not hold others back.
 * SRD-3  Positions in the snapshot are behind exactly the records already emitted.
 * SRD-4  Idle time does not count while there was no room downstream.
 */
import { maxWatermark, minWatermark } from "@millrace/data";
import type { WatermarkConfig } from "@millrace/graph";
import type {
  Operator,
  OperatorDefinition,
  OperatorSetup,
  ReaderOutput,
  SourceDefinition,
  Split,
} from "@millrace/spi";
import {
  generatorOf,
  timestampReader,
  type UserGenerator,
  WatermarkTracker,
} from "./watermarks/generator.ts";

/** What the enumerator sends to one reader. */
export type Assignment =
  | { readonly subtask: number; readonly splits: readonly Split[] }
  | { readonly subtask: number; readonly noMoreSplits: true };
export const requestSplitHint = "split";
const splitsList = "splits";

export const sourceOperator: OperatorDefinition = {
  kind: "source",
  inputs: 1,
  keyed: false,
  create: createSource,
};

function createSource(setup: OperatorSetup): Operator {
  const { platform, mailbox, output } = setup;
  const source = setup.functions["source"] as SourceDefinition;
  const { watermarks, intervalMs = 200 } = setup.config as {
    readonly watermarks: WatermarkConfig;
    readonly intervalMs?: number;
  };
  const splits = new SplitWatermarks(watermarks, generatorOf(setup.functions), output, () =>
    platform.clock.monotonic(),
  );
  const read = timestampReader(watermarks, setup.functions, setup.task.uid);
  const errors = setup.metrics.counter("numRecordsInErrors");
  const reader = source.createReader({
    subtask: setup.task.subtask,
    parallelism: setup.task.parallelism,
    platform,
    signal: setup.signal,
    metrics: setup.metrics,
    requestSplit: () => setup.sendHint(requestSplitHint),
    available: () => mailbox.execute(() => {}),
    fail: (error) =>
      mailbox.execute(() => {
        throw error;
      }),
    badRow(error) {
      if (!setup.skipBadRows) throw error;
      errors.inc();
    },
  });
  const readerOutput: ReaderOutput = {
    emit(splitId, value, given) {
      const timestamp = read(value, given);
      splits.onEvent(splitId, value, timestamp);
      output.emit(value, timestamp);
    },
    splitFinished: (splitId) => splits.finished(splitId),
    get full() {
      return output.full;
    },
  };
  let stop = () => {};
  let fullMs = 0;
  let ended = false;
  const tick = () =>
    mailbox.execute(() => {
      if (!ended) splits.onPeriodic(fullMs);
      fullMs = output.full ? intervalMs : 0;
      stop = platform.timers.after(intervalMs, tick);
    });
  return {
    ownsWatermarks: true,
    open() {
      splits.update();
      stop = platform.timers.after(intervalMs, tick);
    },
    onElement(value) {
      const assignment = value as Assignment;
      if ("noMoreSplits" in assignment) reader.noMoreSplits();
      else {
        for (const { splitId } of assignment.splits) splits.added(splitId);
        reader.addSplits(assignment.splits);
      }
    },
    poll(maxRows) {
      const answer = reader.poll(readerOutput, maxRows);
      if (answer === "end") ended = true;
      return answer;
    },
    endOfData() {
      output.emitWatermark(maxWatermark);
      return true;
    },
    snapshot() {
      setup.lists.store(splitsList, "union", reader.snapshot());
    },
    onCheckpointCompleted: (id) => reader.onCheckpointCompleted?.(id),
    async close() {
      stop();
      await reader.close?.();
    },
  };
}

/** One tracker per split, and their minimum. */
class SplitWatermarks {
  readonly #config: WatermarkConfig;
  readonly #generator: (() => UserGenerator) | undefined;
  readonly #output: OperatorSetup["output"];
  readonly #now: () => number;
  readonly #splits = new Map<string, WatermarkTracker>();
  #last = minWatermark;
  #idle = false;
  /** The split of the last record and its tracker: records of one split come in runs. */
  #current: { readonly id: string; readonly tracker: WatermarkTracker } | undefined;

  constructor(
    config: WatermarkConfig,
    generator: (() => UserGenerator) | undefined,
    output: OperatorSetup["output"],
    now: () => number,
  ) {
    this.#config = config;
    this.#generator = generator;
    this.#output = output;
    this.#now = now;
  }
  added(splitId: string): void {
    this.#splits.set(
      splitId,
      new WatermarkTracker(this.#config, this.#generator?.(), () => this.update(), this.#now()),
    );
    this.update();
  }
  finished(splitId: string): void {
    const tracker = this.#splits.get(splitId);
    // Its last events count before it leaves.
    tracker?.onPeriodic(this.#now(), 0);
    this.#splits.delete(splitId);
    if (this.#current?.id === splitId) this.#current = undefined;
    if (tracker !== undefined && this.#splits.size === 0) this.#emit(tracker.watermark);
    this.update();
  }
  onEvent(splitId: string, value: unknown, timestamp: number): void {
    let current = this.#current;
    if (current?.id !== splitId) {
      const tracker = this.#splits.get(splitId);
      if (tracker === undefined)
        throw new RangeError(`record of split ${splitId}, which is not assigned`);
      current = { id: splitId, tracker };
      this.#current = current;
    }
    if (current.tracker.onEvent(value, timestamp, this.#now())) this.update();
  }
  onPeriodic(pausedMs: number): void {
    const now = this.#now();
    for (const tracker of this.#splits.values()) tracker.onPeriodic(now, pausedMs);
    this.update();
  }
  update(): void {
    let minimum = Number.POSITIVE_INFINITY;
    for (const tracker of this.#splits.values())
      if (!tracker.idle) minimum = Math.min(minimum, tracker.watermark);
    if (minimum === Number.POSITIVE_INFINITY) {
      let maximum = minWatermark;
      for (const tracker of this.#splits.values()) maximum = Math.max(maximum, tracker.watermark);
      this.#emit(maximum);
      this.#setIdle(true);
      return;
    }
    this.#setIdle(false);
    this.#emit(minimum);
  }
  #emit(watermark: number): void {
    if (watermark <= this.#last) return;
    this.#last = watermark;
    this.#output.emitWatermark(watermark);
  }
  #setIdle(idle: boolean): void {
    if (this.#idle === idle) return;
    this.#idle = idle;
    this.#output.emitIdle(idle);
  }
}
