/**
 * What may be deleted: by reachability from retained manifests, and only what is closed in our own view of the log. Pure.
 *
 * RET-1  An object of a higher (epoch, attempt) is never touched: its owner may be about to publish it.
 * RET-2  Of the own attempt only numbers at or below the newest completed checkpoint are closed, and never the one in progress.
 * RET-3  What a retained manifest references, and the manifests themselves, stay.
 */
import type { Manifest } from "./model.ts";
import { manifestName, parseCheckpointObject } from "./object-names.ts";
import { segmentObjects } from "./pending-checkpoint.ts";

export interface RetentionView {
  readonly epoch: number;
  readonly attempt: number;
  /** Newest completed checkpoint. */
  readonly newest: number;
  /** Number in progress, if any. */
  readonly pending: number | undefined;
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
    for (const object of segmentObjects(manifest)) live.add(object);
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
