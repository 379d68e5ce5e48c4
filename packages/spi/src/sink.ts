/**
 * A sink comes in exactly four kinds, and the kind says what a crash can do to its output.
 *
 *   two-phase      writer prepares, the global committer commits after the checkpoint's entry; exactly once
 *   commit-log     writer appends with the checkpoint id, the reader of the log drops doubles; exactly once
 *   upsert         the same key twice has the effect of once; effectively once
 *   at-least-once  flushed before the barrier passes; doubles after a crash
 *
 * SNK-1  `flush` resolves only when everything written is as durable as the kind promises without a commit.
 * SNK-2  A committable is plain data. It is carried in every checkpoint until a *committed* entry covers it.
 * SNK-3  `commit` is idempotent: the same committables may be given again after any crash, in any attempt.
 * SNK-4  Only the committer aborts. A writer never deletes or aborts what it prepared, not even on close.
 */
import type { AttemptRef, Platform } from "@millrace/base";
import type { TypeNode } from "@millrace/data";
import type { TaskInfo } from "./operator.ts";

export const sinkSymbol = Symbol.for("millrace.sink");
export type SinkKind = "two-phase" | "upsert" | "commit-log" | "at-least-once";

export interface SinkDefinition {
  readonly name: string;
  readonly kind: SinkKind;
  /** The type that it encodes, or unknown when it takes whatever comes. */
  readonly inputType: TypeNode;
  readonly describe: Readonly<Record<string, string | number | boolean>>;
  /** Two sinks that write to the same place are refused at submit: this names the place. */
  readonly target?: string;
  /**
   * The target as this process resolves it, where several targets may mean one place (a relative and an absolute path). It is compared
   * and shown to nobody: another process may resolve the target to another place. Default: the target.
   */
  readonly place?: string;
  validate?(): void | Promise<void>;
  createWriter(context: SinkContext): SinkWriter;
  /** Required for kind "two-phase". */
  createCommitter?(context: SinkContext): Committer;
}

export interface SinkContext {
  readonly task: TaskInfo;
  readonly platform: Platform;
  readonly signal: AbortSignal;
  readonly secrets: (name: string) => string;
}

export interface SinkWriter {
  open?(): void | Promise<void>;
  write(value: unknown, timestamp: number): void;
  /** Undefined: go on writing. A promise: room will be there when it resolves. Asked after every batch. */
  drain?(): Promise<void> | undefined;
  /** Before the barrier is forwarded, and at the end of data. */
  flush(checkpointId: number): void | Promise<void>;
  /** After `flush`: what this checkpoint must commit; empty for other kinds. */
  prepareCommit?(checkpointId: number): readonly unknown[] | Promise<readonly unknown[]>;
  close?(): void | Promise<void>;
}

/** The right to commit checkpoint `checkpointId`: made only after its entry is in the log and `epochs/<e+1>` was seen absent. */
export interface Permit extends AttemptRef {
  readonly checkpointId: number;
}

export interface Committer {
  open?(): void | Promise<void>;
  /** Commits all of these, in order. Rejects only when the outcome is failure or unknown after own retries; `DATA_LOSS` when it can never succeed. */
  commit(committables: readonly unknown[], permit: Permit): Promise<void>;
  /** Aborts what attempts older than `permit` left behind outside `keep`. Called after a restore's commits and again after each checkpoint. */
  abortOthers(keep: readonly unknown[], permit: Permit): Promise<void>;
  close?(): void | Promise<void>;
}

declare const sinkBrand: unique symbol;
/** A sink as users hold it. Contravariant by a property, not a method: methods would let a wrong sink pass tsc. */
export interface Sink<in T> {
  readonly [sinkBrand]: (value: T) => void;
  readonly kind: SinkKind;
}
/** For connectors: a sink that `sinkTo` takes. */
export function defineSink<T>(definition: SinkDefinition): Sink<T> {
  return { [sinkSymbol]: definition, kind: definition.kind } as unknown as Sink<T>;
}
/** Undefined for something that is not a sink. */
export function sinkDefinitionOf(sink: unknown): SinkDefinition | undefined {
  return (sink as { readonly [sinkSymbol]?: SinkDefinition } | undefined)?.[sinkSymbol];
}
