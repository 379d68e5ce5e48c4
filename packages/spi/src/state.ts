/**
 * State as operators see it. A row is addressed by (key, a, b, c): the key is selected once per record, the three numbers
 * are the namespace (0, 0, 0 for plain keyed state; start and end for a window; the time for a timer).
 *
 * STA-1  A handle reads and writes the row of the currently selected key only.
 * STA-2  `get` hands out a fresh value each time; changing it changes nothing until `put`.
 * STA-3  Between `mark` and `undo` every change to state and timers is taken back; `release` keeps them.
 */
import type { TypeNode } from "@millrace/data";

export interface TableDeclaration {
  /** Unique within the operator. */
  readonly name: string;
  /** `declared`: the user named a type. `stream`: the stream's known type. `inferred`: learnt from values and recorded. */
  readonly type: TypeNode;
  readonly origin: "declared" | "stream" | "inferred";
}

export interface StateTable<V = unknown> {
  /** The value of (selected key, a, b, c), or undefined when there is none. */
  get(a: number, b: number, c: number): V | undefined;
  put(a: number, b: number, c: number, value: V): void;
  delete(a: number, b: number, c: number): void;
}

export interface KeyedState {
  /** Declares a table; once per name, before `open` returns. Restored rows are already in it. Throws `STATE_INCOMPATIBLE`. */
  table<V>(declaration: TableDeclaration): StateTable<V>;
  /** Selects the key for all tables and timers. Throws `DATA_BAD_KEY`; `STATE_FOREIGN_KEY` when the key's group is not ours. */
  selectKey(key: unknown): void;
  readonly currentKey: unknown;
  /** Key group of the selected key. */
  readonly currentKeyGroup: number;
  /** Watermark that the selected key's group had at the restored checkpoint; `minWatermark` without one. */
  readonly restoredWatermark: number;
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
