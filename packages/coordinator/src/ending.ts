/** What becomes of a job whose attempt has ended. Pure. */

/** Why an attempt is ended; "closed": its committers have done what was left to do. */
export type Ending = "restart" | "failed" | "canceled" | "finished" | "closed";
export type End = "FINISHED" | "CANCELED" | "FAILED";

export type EndDecision =
  | { readonly kind: "finish"; readonly end: End }
  /** Another attempt, of committers only, and then this end (JMA-3). */
  | { readonly kind: "close"; readonly end: "CANCELED" | "FAILED" }
  | { readonly kind: "again" };

export function decideEnd(state: {
  readonly ending: Ending;
  /** The end for which the attempt of committers ran. */
  readonly closing: "CANCELED" | "FAILED" | undefined;
  readonly hasCommitters: boolean;
  /** Any attempt has begun, under whichever leader. */
  readonly hasRun: boolean;
  readonly nothingToCommit: boolean;
}): EndDecision {
  const { ending, closing } = state;
  if (ending === "restart") return { kind: "again" };
  if (ending === "finished") return { kind: "finish", end: "FINISHED" };
  // Its committers have had their attempts: what is not committed now never will be.
  if (closing !== undefined)
    return { kind: "finish", end: state.nothingToCommit ? closing : "FAILED" };
  const end = ending === "failed" ? "FAILED" : "CANCELED";
  return { kind: state.hasCommitters && state.hasRun ? "close" : "finish", end };
}
