/**
 * Error policies around an operator's calls (every policy but "fail").
 *
 *   call fails ─▶ emits forgotten, state and timers undone ─▶ retry: once more · skip: dropped · dead-letter: input record to the side
 *
 * GRD-1  A failing call leaves no trace: nothing of it is emitted, stored or scheduled.
 * GRD-2  What a call emitted leaves after it has succeeded; an error further down the chain is not this operator's.
 * GRD-3  `retry` counts within an attempt, over all records and all calls of the operator, promises included; when it is used up, the
 *        error fails the task.
 * GRD-4  A failing call without an input record (a timer's) has nothing to send to a dead-letter side: it fails the task.
 */
import type { ErrorPolicy } from "@millrace/graph";
import type { KeyedState, Operator } from "@millrace/spi";
import type { ChainOutput } from "./chain-output.ts";

export interface GuardOptions {
  readonly onError: ErrorPolicy;
  readonly state: KeyedState;
  readonly output: ChainOutput;
  /** The policy gives this record up. */
  readonly onDropped: (value: unknown, timestamp: number) => void;
  /** The policy gives up a call that no record caused. */
  readonly onSkipped: () => void;
}

export class Guard implements Pick<Operator, "onElement" | "onElement2"> {
  readonly #options: GuardOptions;
  readonly #operator: () => Operator;
  #retries: number;

  constructor(options: GuardOptions, operator: () => Operator) {
    this.#options = options;
    this.#operator = operator;
    this.#retries = options.onError.kind === "retry" ? options.onError.times : 0;
  }
  onElement(value: unknown, timestamp: number): void {
    if (!this.#try(() => this.#operator().onElement(value, timestamp)))
      this.#options.onDropped(value, timestamp);
  }
  onElement2(value: unknown, timestamp: number): void {
    if (!this.#try(() => this.#operator().onElement2?.(value, timestamp)))
      this.#options.onDropped(value, timestamp);
  }
  /** A call that no input record caused. Inside another guarded call it is part of that one. */
  run(call: () => void): void {
    if (this.#options.output.holding) call();
    else if (!this.#try(call, this.#options.onError.kind === "dead-letter"))
      this.#options.onSkipped();
  }

  /** Uses one up; false when none is left. */
  takeRetry(): boolean {
    this.#retries -= 1;
    return this.#retries >= 0;
  }

  /** False: it failed, and the policy gives it up. */
  #try(call: () => void, mustSucceed = false): boolean {
    const { onError, state, output } = this.#options;
    for (;;) {
      output.hold();
      state.mark();
      try {
        call();
      } catch (error) {
        state.undo();
        output.discard();
        if (mustSucceed) throw error;
        if (onError.kind !== "retry") return false;
        if (!this.takeRetry()) throw error;
        continue;
      }
      state.release();
      output.release();
      return true;
    }
  }
}
