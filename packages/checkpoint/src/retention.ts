/**
 * What may be deleted: by reachability from retained manifests, and only what is closed in our own view of the log. Pure.
 *
 * RET-1  An object of a higher (epoch, attempt) is never touched: its owner may be about to publish it.
 * RET-2  Of the own attempt only numbers at or below the newest completed checkpoint are closed, and never the one in progress.
 * RET-3  What a retained manifest references, and the manifests themselves, stay.
 * RET-4  A terminal log closes every attempt: whatever is not retained then is garbage, whoever wrote it.
 */
import type { CheckpointOptions } from "@millrace/graph";
import type { CompletedCheckpoint, LogSummary, Manifest } from "./model.ts";
import { manifestName, parseCheckpointObject } from "./object-names.ts";
import { referencedObjects } from "./pending-checkpoint.ts";

export interface RetentionView {
  readonly epoch: number;
  readonly attempt: number;
  /** Newest completed checkpoint. */
  readonly newest: number;
  /** Number in progress, if any. */
  readonly pending: number | undefined;
}
/** The view of a job whose log is terminal (RET-4). */
export const closedView: RetentionView = {
  epoch: Number.MAX_SAFE_INTEGER,
  attempt: Number.MAX_SAFE_INTEGER,
  newest: Number.MAX_SAFE_INTEGER,
  pending: undefined,
};

/** Whether the checkpoints of a job that has ended so are still of use (CP-07). */
export function retainsAfter(
  end: NonNullable<LogSummary["terminal"]>,
  { onCancel, onFailure }: Pick<CheckpointOptions, "onCancel" | "onFailure">,
): boolean {
  switch (end) {
    case "FINISHED":
      return false;
    case "CANCELED":
      return onCancel === "retain";
    case "FAILED":
      return onFailure === "retain";
  }
}

/** The completed checkpoints that a job keeps, newest first (CP-03). */
export function retainedOf(summary: LogSummary, count: number): readonly CompletedCheckpoint[] {
  const { newestCheckpoint, earlierCheckpoints = [] } = summary;
  return newestCheckpoint === null ? [] : [newestCheckpoint, ...earlierCheckpoints].slice(0, count);
}

export interface Deletion {
  readonly object: string;
  readonly reason: string;
}

export function decideDeletions(
  objects: readonly string[],
  retained: readonly Manifest[],
  view: RetentionView,
): readonly Deletion[] {
  const live = new Set<string>();
  for (const manifest of retained) {
    live.add(manifestName(manifest.jobId, manifest.checkpointId, manifest));
    for (const object of referencedObjects(manifest)) live.add(object);
  }
  const deletions: Deletion[] = [];
  for (const object of objects) {
    const ref = parseCheckpointObject(object);
    if (ref === undefined || live.has(object)) continue;
    if (ref.epoch > view.epoch || (ref.epoch === view.epoch && ref.attempt > view.attempt))
      continue;
    const own = ref.epoch === view.epoch && ref.attempt === view.attempt;
    if (own && (ref.checkpointId > view.newest || ref.checkpointId === view.pending)) continue;
    deletions.push({
      object,
      reason: own
        ? `checkpoint ${ref.checkpointId} is subsumed by ${view.newest}`
        : `attempt ${ref.epoch}.${ref.attempt} has ended and nothing retained references it`,
    });
  }
  return deletions;
}
