/**
 * What an operator is to the runtime, and the order in which it is called. This file is the whole contract.
 *
 *   create → open → ( element* | watermark | processing-time timer | mail )* → …
 *   … at a barrier:        prepareBarrier → snapshot → (barrier is forwarded)
 *   … at the end of data:  watermark(maxWatermark) → endOfData
 *   … at the very end:     close            (always, also after a failure; never followed by another call)
 *
 * OPR-1  All calls of one subtask happen on one thread, one after the other; none overlaps another.
 * OPR-2  Whatever a watermark causes is emitted before the runtime forwards that watermark.
 * OPR-3  `emit` may be called inside any call but `create`, `snapshot` and `close`. It never blocks and never fails for lack of
 *        room; an operator with much to say asks `output.full` between records and returns false to be called again.
 *        `full` also says that others wait for their turn.
 * OPR-4  Nothing is emitted between `prepareBarrier` having resolved and the barrier being forwarded.
 * OPR-5  State, timers and operator lists are restored before `open`.
 */
import type { Platform } from "@millrace/base";
import type { RecordBatch, TypeNode } from "@millrace/data";
import type { OperatorMetrics } from "./metrics.ts";
import type { Permit } from "./sink.ts";
import type { KeyedState, OperatorLists, TimerCallback } from "./state.ts";

export interface Operator {
  /** Once, before the first element. Rejecting fails the task. */
  open?(): void | Promise<void>;
  /** One record of input 0. `timestamp` is NaN when the record has none. */
  onElement(value: unknown, timestamp: number): void;
  /**
   * The rows of a batch of input 0 from `from` on, instead of `onElement` for each: the operator reads columns and makes objects of those
   * rows only that need one. Asks `output.full` before each row; answers the row at which it stopped. The batch's bytes are its own only
   * until every row is done. Called where the operator is the only head of its chain and its error policy is "fail"; `onElement` means the same.
   */
  onBatch?(batch: RecordBatch, from: number): number;
  /** One record of input 1, for operators with two inputs. */
  onElement2?(value: unknown, timestamp: number): void;
  /** The minimum over all inputs rose. Fire what is due; answer false when `output.full` stopped it: called again with the same value. Absent: nothing happens. */
  onWatermark?(watermark: number): boolean;
  /** All inputs became idle (true) or one is active again (false). The runtime forwards the status itself. */
  onIdle?(idle: boolean): void;
  /** No more records will come on any input; false as for `onWatermark`. An async operator answers false until its calls are done. */
  endOfData?(): boolean;
  /** Make everything before the barrier durable or emitted. Until it resolves no input is processed, no mail and no timer: don't wait for a letter. */
  prepareBarrier?(checkpoint: BarrierInfo): void | Promise<void>;
  /** Copies what is not keyed state into operator lists. Synchronous and short: keyed state is captured by the runtime itself. */
  snapshot?(checkpoint: BarrierInfo): void;
  /** The checkpoint's entry is in the job's log. */
  onCheckpointCompleted?(checkpointId: number): void;
  /** Committers only: the permit to commit everything up to `permit.checkpointId`; `sweep` also aborts what older attempts left open. */
  onCommit?(permit: Permit, sweep: boolean): Promise<void>;
  close?(): void | Promise<void>;
  /** Operators that bring records by themselves (sources, enumerators): called when there is room. "end": nothing will ever come again. */
  poll?(maxRows: number): "more" | "nothing" | "end";
  /** For error messages: the place in a source that the record being processed came from. */
  position?(): string | undefined;
  /** The runtime does not pass watermarks and idleness through this operator: it emits its own (sources, timestamps, async queues). */
  readonly ownsWatermarks?: true;
  /**
   * For the chain generator: the operator is no more than this function, and may be inlined. State, timers, side outputs
   * and error policies exclude it.
   */
  readonly inline?: InlineBody;
}

export type InlineBody =
  | { readonly kind: "map"; readonly fn: (value: never) => unknown }
  | { readonly kind: "filter"; readonly fn: (value: never) => unknown }
  /** Keeps rows whose named fields are neither null nor undefined. */
  | { readonly kind: "filterPresent"; readonly fields: readonly string[] }
  | {
      readonly kind: "flatMap";
      readonly fn: (value: never, emit: (value: unknown) => void) => unknown;
    }
  /** Emits nothing; `afterRows` is called when some rows have been written. */
  | {
      readonly kind: "sink";
      readonly writer: { write(value: unknown, timestamp: number): void };
      readonly afterRows: () => void;
    };

export interface BarrierInfo {
  readonly checkpointId: number;
  /** The newest completed checkpoint when this one was triggered: what incremental segments build on. Undefined: none, write all. */
  readonly base: number | undefined;
  /** When the JobManager triggered it, wall clock ms. */
  readonly timestamp: number;
  /** "final": end of data everywhere; nothing follows. */
  readonly kind: "checkpoint" | "savepoint" | "final";
}

/** Where an operator's records go: the rest of its chain, or the network. */
export interface Output {
  emit(value: unknown, timestamp: number): void;
  /**
   * Records from `from` up to `count`, in order, with their timestamps; asks for room before each and answers the one at which it
   * stopped. Within the call `row` is the one on its way. For operators that poll.
   */
  emitBatch(
    values: readonly unknown[],
    timestamps: Float64Array,
    from: number,
    count: number,
  ): number;
  readonly row: number;
  /** A record of the side output `name`; dropped (and counted) when nobody reads that side. */
  emitSide(name: string, value: unknown, timestamp: number): void;
  /** An operator-generated watermark (sources and `assignTimestampsAndWatermarks` only). */
  emitWatermark(watermark: number): void;
  /** An operator-generated idle status (as `emitWatermark`). */
  emitIdle(idle: boolean): void;
  /** Downstream has no room, or the slice is over: return at the next chance. */
  readonly full: boolean;
}

export interface TaskInfo {
  readonly jobId: string;
  readonly jobName: string;
  readonly uid: string;
  readonly name: string;
  /** Index of this subtask, 0-based. */
  readonly subtask: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly epoch: number;
  readonly attempt: number;
}

/** Everything an operator gets at creation. `functions` holds the user's closures by name; `config` is what the graph carries as data. */
export interface OperatorSetup {
  readonly task: TaskInfo;
  readonly config: unknown;
  readonly functions: Readonly<Record<string, unknown>>;
  /** Key selector per input; undefined for an input that is not partitioned by key. */
  readonly keys: readonly (((value: unknown) => unknown) | undefined)[];
  /** Per input the one field that is its key; undefined for several fields, a function, or no key. */
  readonly keyFields?: readonly (string | undefined)[];
  readonly inputTypes: readonly TypeNode[];
  readonly outputType: TypeNode;
  /** Names of the declared side outputs, read or not. */
  readonly sideOutputs: readonly string[];
  readonly output: Output;
  /** Keyed state of this operator; using it on a non-keyed operator throws. */
  readonly state: KeyedState;
  /** Timers call back with the timer's key selected. One set per operator; call before `open` returns. */
  timers(onTimer: TimerCallback): TimerService;
  readonly lists: OperatorLists;
  readonly mailbox: Mailbox;
  readonly metrics: OperatorMetrics;
  readonly platform: Platform;
  /** Aborted when the task is cancelled or fails. */
  readonly signal: AbortSignal;
  /**
   * A call that ended outside the runtime's reach (a promise) failed for good: applies the operator's error policy to its input record.
   * Under "fail" it throws; under "retry" `again` runs while there are retries left; else the record is skipped or sent to the
   * dead-letter side, and `skipped` runs.
   */
  failed(error: unknown, call: FailedCall): void;
  /**
   * Runs user code that no input record caused (a timer's) under the operator's error policy: undone and counted under "skip", called
   * again under "retry"; "dead-letter" has no record to send and fails. Inside `onElement` it is part of that call.
   */
  guarded(call: () => void): void;
  /**
   * Runs user code that goes on by itself (it awaits, or sets timers), so that what it prints is known to be this operator's. For what
   * an operator calls on its own account: `create`, `open`, `prepareBarrier`, `onCommit` and `close` run so already, and no call for a
   * record does.
   */
  attributed<T>(run: () => T): T;
  /** Where in a source the record came from that is being handed down this chain; nothing behind an exchange. */
  sourcePosition?(): string | undefined;
  /** A value from state that was changed and not written back fails the call: `STATE_NOT_UPDATED`. */
  readonly checkMutations: boolean;
  /** Sends a hint against the stream to every upstream subtask of input 0 (split requests). Best effort, unordered with data. */
  sendHint(hint: unknown): void;
  /** Enumerators only: sets the receiver of hints. */
  onHint(receive: (fromSubtask: number, hint: unknown) => void): void;
  /** Resolves a secret parameter by its reference. Throws `SECRET_MISSING`. */
  readonly secrets: (name: string) => string;
  /** Number of committables' checkpoints already covered by a *committed* entry at restore: they are dropped. 0 when new. */
  readonly committedFloor: number;
}

/** What an operator says of a call that failed. */
export interface FailedCall {
  /** The input record. */
  readonly value: unknown;
  readonly timestamp: number;
  again(): void;
  skipped(): void;
}

/** Puts work from callbacks (I/O, promises) on the task's own thread of events. */
export interface Mailbox {
  /** Runs `fn` between two slices, in the order of submission, and never while a barrier is being prepared. Ignored once the task has ended. */
  execute(fn: () => void): void;
  /** The operator can't go on until `resume` (async capacity reached, sink busy): no input is processed and no timer fires meanwhile; mail is. */
  pause(): void;
  resume(): void;
}

export interface TimerService {
  readonly currentWatermark: number;
  currentProcessingTime(): number;
  /** At most one per (current key, namespace, time, domain). A time in the past fires at the next watermark or poll. */
  registerEventTime(time: number, a: number, b: number): void;
  deleteEventTime(time: number, a: number, b: number): void;
  registerProcessingTime(time: number, a: number, b: number): void;
  deleteProcessingTime(time: number, a: number, b: number): void;
  /** Fires event-time timers ≤ `watermark` in time order; false when `stop()` answered true in between. */
  advanceWatermark(watermark: number, stop: () => boolean): boolean;
  advanceProcessingTime(now: number, stop: () => boolean): boolean;
  /** Time of the next processing-time timer, or undefined. */
  nextProcessingTime(): number | undefined;
}

/** One kind of operator, as the registry lists it. */
export interface OperatorDefinition {
  readonly kind: string;
  readonly inputs: 1 | 2;
  /** Uses keyed state: its input edges must be partitioned by key. */
  readonly keyed: boolean;
  /** Every operator of this kind has an `inline` body of that kind. */
  readonly inlines?: InlineBody["kind"];
  /** Operators of this kind poll. */
  readonly polls?: true;
  create(setup: OperatorSetup): Operator;
}
