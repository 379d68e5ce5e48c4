/**
 * A checkpoint in progress: folds the subtasks' acknowledgements to a manifest. Pure.
 *
 * PEN-1  Each subtask counts once; an unknown one, or a second answer, changes nothing.
 * PEN-2  An uploaded object belongs to exactly this (epoch, attempt, n), and every segment referenced is such an upload or in the
 *        base's manifest (CKP-2): else `CHECKPOINT_INVALID`.
 */
import type { JobGraph } from "@millrace/graph";
import { fail } from "./fail.ts";
import type { Manifest, SubtaskSnapshot } from "./model.ts";
import { parseCheckpointObject } from "./object-names.ts";

export interface PendingOptions {
  readonly jobId: string;
  readonly checkpointId: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly base: Manifest | undefined;
  readonly kind: Manifest["kind"];
  readonly triggeredAt: number;
  readonly graph: JobGraph;
}

export class PendingCheckpoint {
  readonly checkpointId: number;
  readonly kind: Manifest["kind"];
  readonly #options: PendingOptions;
  readonly #expected: number;
  readonly #snapshots = new Map<string, SubtaskSnapshot>();

  constructor(options: PendingOptions) {
    this.checkpointId = options.checkpointId;
    this.kind = options.kind;
    this.#options = options;
    this.#expected = options.graph.vertices.reduce((sum, vertex) => sum + vertex.parallelism, 0);
  }
  get acknowledged(): number {
    return this.#snapshots.size;
  }
  get complete(): boolean {
    return this.#snapshots.size === this.#expected;
  }

  /** True when the answer was new. Throws `CHECKPOINT_INVALID` (PEN-2). */
  acknowledge(snapshot: SubtaskSnapshot): boolean {
    const vertex = this.#options.graph.vertices.find(
      (candidate) => candidate.id === snapshot.vertex,
    );
    const id = `${snapshot.vertex}#${snapshot.subtask}`;
    if (
      vertex === undefined ||
      snapshot.subtask < 0 ||
      snapshot.subtask >= vertex.parallelism ||
      this.#snapshots.has(id)
    )
      return false;
    this.#check(snapshot);
    this.#snapshots.set(id, snapshot);
    return true;
  }

  toManifest(): Manifest {
    const { jobId, checkpointId, epoch, attempt, base, kind, triggeredAt, graph } = this.#options;
    return {
      formatVersion: 1,
      jobId,
      checkpointId,
      epoch,
      attempt,
      base: base?.checkpointId ?? null,
      kind,
      triggeredAt,
      graphDigest: graph.digest,
      vertices: graph.vertices.map((vertex) => ({
        vertex: vertex.id,
        uids: vertex.operators.map((operator) => operator.uid),
        parallelism: vertex.parallelism,
        maxParallelism: vertex.maxParallelism,
        subtasks: Array.from({ length: vertex.parallelism }, (_, subtask) => {
          const snapshot = this.#snapshots.get(`${vertex.id}#${subtask}`);
          if (snapshot === undefined)
            throw fail("CHECKPOINT_INVALID", {
              fields: { checkpointId, missing: `${vertex.id}#${subtask}` },
            });
          return snapshot;
        }),
      })),
    };
  }

  #check(snapshot: SubtaskSnapshot): void {
    const { checkpointId, epoch, attempt, base } = this.#options;
    const invalid = (object: string) =>
      fail("CHECKPOINT_INVALID", {
        fields: { checkpointId, subtask: `${snapshot.vertex}#${snapshot.subtask}`, object },
      });
    const own = new Set<string>();
    for (const { object } of snapshot.uploaded) {
      const ref = parseCheckpointObject(object);
      if (ref?.checkpointId !== checkpointId || ref.epoch !== epoch || ref.attempt !== attempt)
        throw invalid(object);
      own.add(object);
    }
    const carried = base === undefined ? new Set<string>() : referencedObjects(base);
    for (const operator of snapshot.operators) {
      for (const { object } of operator.segments)
        if (!own.has(object) && !carried.has(object)) throw invalid(object);
      // STL-2
      for (const { stored } of operator.lists)
        if (stored !== undefined && !own.has(stored.object)) throw invalid(stored.object);
    }
  }
}

/** Keys of all objects that a manifest references. */
export function referencedObjects(manifest: Manifest): Set<string> {
  const objects = new Set<string>();
  for (const vertex of manifest.vertices) {
    for (const subtask of vertex.subtasks) {
      for (const operator of subtask.operators) {
        for (const { object } of operator.segments) objects.add(object);
        for (const { stored } of operator.lists)
          if (stored !== undefined) objects.add(stored.object);
      }
    }
  }
  return objects;
}
