/** Whether a checkpoint is due. Pure. */

export interface TriggerState {
  readonly options: { readonly intervalMs: number; readonly minPauseMs: number };
  /** Monotonic ms, as the other times. */
  readonly now: number;
  readonly lastTriggeredAt: number;
  /** When the last one completed or was given up. */
  readonly lastEndedAt: number;
  readonly pending: boolean;
  /** Somebody asked for one: it need not wait for the interval. */
  readonly requested: boolean;
  readonly finalRequested: boolean;
  readonly paused: boolean;
}
export type TriggerDecision =
  | { readonly kind: "wait" }
  | { readonly kind: "trigger"; readonly checkpointKind: "checkpoint" | "final" };

export function decideTrigger(state: TriggerState): TriggerDecision {
  if (state.pending) return { kind: "wait" };
  if (state.finalRequested) return { kind: "trigger", checkpointKind: "final" };
  if (state.paused) return { kind: "wait" };
  if (state.requested) return { kind: "trigger", checkpointKind: "checkpoint" };
  const due =
    state.now >= state.lastTriggeredAt + state.options.intervalMs &&
    state.now >= state.lastEndedAt + state.options.minPauseMs;
  return due ? { kind: "trigger", checkpointKind: "checkpoint" } : { kind: "wait" };
}
