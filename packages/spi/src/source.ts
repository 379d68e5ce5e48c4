/**
 * A source: an enumerator (one hidden subtask) finds splits and deals them to readers (parallel subtasks), which read them.
 * Assignments travel to the readers as records of an ordinary edge, so a barrier divides what the enumerator has given away
 * from what a reader owns.
 *
 * SRC-1  All of a reader's state lies in its splits: `snapshot` returns unfinished splits with their positions.
 * SRC-2  After a restore readers start empty. At the same parallelism every unfinished split is given to the reader that held it, and
 *        the enumerator told by `splitsKept`; at another one all go back to the enumerator by `addSplitsBack`.
 * SRC-3  Split requests are hints: they may be lost or doubled; a reader with nothing to do asks again after a restore.
 * SRC-4  A split and the enumerator's state are plain data (no class instances); a split has a stable `splitId`.
 */
import type { Platform } from "@millrace/base";
import type { TypeNode } from "@millrace/data";
import type { OperatorMetrics } from "./metrics.ts";

export const sourceSymbol = Symbol.for("millrace.source");

export interface Split {
  readonly splitId: string;
}

export interface SourceDefinition<S extends Split = Split> {
  /** For people and for uids: "files", "sequence", "collection". */
  readonly name: string;
  readonly boundedness: "bounded" | "unbounded";
  /** Type of what it emits; unknown when only TypeScript knows. */
  readonly outputType: TypeNode;
  /** What `plan` shows; no secrets. */
  readonly describe: Readonly<Record<string, string | number | boolean>>;
  /** Checks that can be made before the job starts (a path exists, a pattern matches). Throws coded errors. */
  validate?(): void | Promise<void>;
  createEnumerator(
    context: EnumeratorContext<S>,
    restored: unknown | undefined,
  ): SplitEnumerator<S>;
  createReader(context: ReaderContext): SourceReader<S>;
}

export interface EnumeratorContext<S extends Split> {
  readonly parallelism: number;
  readonly platform: Platform;
  readonly signal: AbortSignal;
  /** Resolves a secret parameter by its reference. Throws `SECRET_MISSING`. */
  readonly secrets: (name: string) => string;
  /** Sends splits to a reader. Callable from any callback that the context runs. */
  assign(subtask: number, splits: readonly S[]): void;
  /** This reader gets no more splits. When all have been told and are done, the source has ended. */
  signalNoMoreSplits(subtask: number): void;
  /** Runs `work` (I/O), then `handle` on the subtask's thread. A rejected `work` fails the task unless `handle` takes the error. */
  callAsync<R>(
    work: () => Promise<R>,
    handle: (result: R | undefined, error: unknown) => void,
  ): void;
}

export interface SplitEnumerator<S extends Split> {
  start(): void | Promise<void>;
  /** A reader has nothing to read. */
  handleSplitRequest(subtask: number): void;
  /** After a restore: unfinished splits with positions, before `start`'s first assignment. */
  addSplitsBack(splits: readonly S[]): void;
  /** After a restore: these splits are with that reader again, nothing is to be done for them. Before `start`. */
  splitsKept?(subtask: number, splits: readonly S[]): void;
  /** Plain data from which `createEnumerator` resumes; splits already assigned are not in it. */
  snapshot(): unknown;
  onCheckpointCompleted?(checkpointId: number): void;
  close?(): void | Promise<void>;
}

export interface ReaderContext {
  readonly subtask: number;
  readonly parallelism: number;
  readonly platform: Platform;
  readonly signal: AbortSignal;
  readonly metrics: OperatorMetrics;
  /** Resolves a secret parameter by its reference. Throws `SECRET_MISSING`. */
  readonly secrets: (name: string) => string;
  /** Asks the enumerator for a split. */
  requestSplit(): void;
  /** `poll` is worth calling again; callable from any callback. */
  available(): void;
  /** Fails the task with this error (for errors in callbacks). */
  fail(error: unknown): void;
  /**
   * A row that can't be read, and its text. Throws under the policies "fail" and "retry"; else the row is counted and passed over, or
   * goes to the dead-letter side as a `BadRow` whose place is that of the error's fields `file`, `line` and `column`.
   */
  badRow(error: unknown, text: string): void;
}

export interface SourceReader<S extends Split> {
  addSplits(splits: readonly S[]): void;
  noMoreSplits(): void;
  /**
   * Hands out at most `maxRows` records, without waiting.
   * "more": call again soon. "nothing": wait for `available`. "end": no more splits and all are read.
   */
  poll(output: ReaderOutput, maxRows: number): "more" | "nothing" | "end";
  /** Unfinished splits with their positions: exactly the records already emitted are behind them. */
  snapshot(): readonly S[];
  /**
   * For error messages: the place in the split that the record handed out last came from, such as "flights.csv:17"; of records handed out
   * together the one in `row`.
   */
  where?(splitId: string, row: number): string | undefined;
  onCheckpointCompleted?(checkpointId: number): void;
  close?(): void | Promise<void>;
}

export interface ReaderOutput {
  /** One record of a split; `timestamp` NaN when the source has none of its own. */
  emit(splitId: string, value: unknown, timestamp: number): void;
  /**
   * Records of a split from `from` up to `count` that have no timestamps of their own, as one by one with `full` in between, but cheaper.
   * Answers the first that was not taken: the rest must be offered again.
   */
  emitBatch(splitId: string, values: readonly unknown[], from: number, count: number): number;
  /** The split is done: its watermark no longer counts. */
  splitFinished(splitId: string): void;
  /** Downstream has no room, or the slice is over: return "more" now. Ask before every record. */
  readonly full: boolean;
}

declare const sourceBrand: unique symbol;
/** A source as users hold it. */
export interface Source<out T> {
  readonly [sourceBrand]: () => T;
}
/** For connectors: a source that `fromSource` takes. */
export function defineSource<T, S extends Split>(definition: SourceDefinition<S>): Source<T> {
  return { [sourceSymbol]: definition } as unknown as Source<T>;
}
/** Undefined for something that is not a source. */
export function sourceDefinitionOf(source: unknown): SourceDefinition | undefined {
  return (source as { readonly [sourceSymbol]?: SourceDefinition } | undefined)?.[sourceSymbol];
}
