/**
 * State as operators see it. A row is addressed by (key, a, b, c): the key is selected once per record, the three numbers
 * are the namespace (0, 0, 0 for plain keyed state; start and end for a window; the time for a timer).
 *
 * STA-1  A handle reads and writes the row of the currently selected key only.
 * STA-2  `get` hands out a fresh value each time; changing it changes nothing until `put`.
 * STA-3  Between `mark` and `undo` every change to state and timers is taken back; `release` keeps them.
 * STA-4  Folding into a cell is what `get` and `put` of the whole values would do, row after row, in place. It stops at the first row for
 *        which it can't be done so: that one goes the other way.
 */
import type { RecordBatch, TypeNode } from "@millrace/data";

export interface TableDeclaration {
  /** Unique within the operator. */
  readonly name: string;
  /** `declared`: the user named a type. `stream`: the stream's known type. `inferred`: learnt from values and recorded. */
  readonly type: TypeNode;
  readonly origin: "declared" | "stream" | "inferred";
  /** Rows have the namespace (0, 0, 0) only: a key has one row at most, which takes less room and is found at once. */
  readonly onePerKey?: true;
}

export interface StateTable<V = unknown> {
  /** The value of (selected key, a, b, c), or undefined when there is none. */
  get(a: number, b: number, c: number): V | undefined;
  put(a: number, b: number, c: number, value: V): void;
  delete(a: number, b: number, c: number): void;
  /**
   * Finds the rows of a batch's rows from..to, each with its key and (a, 0, 0), and counts them as changed. Fills `rows.slots` from 0 on;
   * answers how many were found before the first that is not there, or whose value is not kept in columns.
   */
  find(keys: BatchKeys, rows: BatchRows): number;
  /** The value of a row that was found; as long as nothing is deleted. */
  valueAt(slot: number): V;
  /** A number inside the values: the path of fields and indexes to it, none for the value itself. For the table's life. */
  cell(...path: readonly (string | number)[]): NumberCell;
}

/** Rows [from, to) of a batch. */
export interface BatchRows {
  readonly from: number;
  readonly to: number;
  /** First number of the namespace per row of the batch; absent: 0. */
  readonly a?: Float64Array;
  readonly slots: Int32Array;
}

/** A number in rows that were found. */
export interface NumberCell {
  /** NaN where there is none. */
  get(slot: number): number;
  /** Row after row: the cell becomes what the operation makes of it and the batch's number. Answers how many rows were done. */
  fold(fold: Fold): number;
}
export interface Fold {
  readonly op: "sum" | "min" | "max" | "count";
  /** Rows found, the first of them being row `from` of the batch. */
  readonly slots: Int32Array;
  readonly from: number;
  readonly count: number;
  /** Of the whole batch; absent for a count of all rows. */
  readonly numbers?: Float64Array | Int32Array;
  /** As in SQL: NaN does not count, and a cell that holds null begins with the first number. */
  readonly skipNaN?: true;
  /** What the cell was after each row, from 0 on. */
  readonly into?: Float64Array;
}

/** The keys of a batch's rows. */
export interface BatchKeys {
  /** As `selectKey` with this row's key. */
  select(row: number): void;
}

export interface KeyedState {
  /** Declares a table; once per name, before `open` returns. Restored rows are already in it. Throws `STATE_INCOMPATIBLE`. */
  table<V>(declaration: TableDeclaration): StateTable<V>;
  /** Selects the key for all tables and timers. Throws `DATA_BAD_KEY`; `STATE_FOREIGN_KEY` when the key's group is not ours. */
  selectKey(key: unknown): void;
  /**
   * The keys of a batch that came over an edge partitioned by key, looked up together instead of one by one. `field`: the one that is the
   * key; without it `keyOf` gives the key of a row. One batch at a time: what was given before is over.
   */
  keysOf(batch: RecordBatch, field: string | undefined, keyOf: (row: number) => unknown): BatchKeys;
  readonly currentKey: unknown;
  /** Key group of the selected key. */
  readonly currentKeyGroup: number;
  /** Watermark that the selected key's group had at the restored checkpoint; `minWatermark` without one. */
  readonly restoredWatermark: number;
  /** The highest of them all: of no key's group was it more. */
  readonly highestRestoredWatermark: number;
  mark(): void;
  undo(): void;
  release(): void;
}

export type TimerDomain = "event-time" | "processing-time";
export type TimerCallback = (time: number, a: number, b: number, domain: TimerDomain) => void;

/** Lists that belong to a subtask rather than to a key. Items are plain data. */
export interface OperatorLists {
  /** What the restored checkpoint holds for this subtask (see mode), in order; empty when new. */
  restored(name: string): readonly unknown[];
  /**
   * Replaces the list that the current snapshot stores. Only inside `snapshot`.
   * split: items stay with their subtask, and are dealt out round robin at another parallelism; ordered: the same, but one subtask's
   * items stay together, in order; union: every new subtask gets all.
   */
  store(name: string, mode: "split" | "ordered" | "union", items: readonly unknown[]): void;
}
