/** What a user's `open` is given: where it runs, a counter, and the values of secrets. */
import type { OperatorSetup } from "@millrace/spi";
import { userCounters } from "./user-counters.ts";

export interface OpenedWith {
  readonly subtask: number;
  readonly parallelism: number;
  readonly attempt: number;
  counter(name: string): { inc(by?: number): void };
  secret(reference: { readonly secret: string }): string;
}

export function openedWith(setup: OperatorSetup): OpenedWith {
  const { subtask, parallelism, attempt } = setup.task;
  return {
    subtask,
    parallelism,
    attempt,
    counter: userCounters(setup.metrics),
    secret: ({ secret }) => setup.secrets(secret),
  };
}
