/**
 * The data of the checkpoint protocol: what a subtask acknowledges, what a manifest holds, what the job's log records.
 *
 * CKP-1  Segments and manifest are written before the checkpoint's log entry. Nothing before the entry counts, nothing after it may be undone.
 * CKP-2  A manifest references only segments of its base's manifest and uploads made for exactly its (epoch, attempt, n).
 * CKP-3  A committable is carried forward in every manifest until a *committed* entry covers it.
 */
import type { TypeNode } from "@millrace/data";

/** A byte range of an object: sorted rows of one operator. Format in the state package. */
export interface SegmentRef {
  /** Key in the job's store. */
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  readonly rows: number;
  /** CRC32C of the range. */
  readonly crc: number;
  /** Key groups [from, to) that count, which may be fewer than the segment holds (after a rescale). */
  readonly from: number;
  readonly to: number;
  /** Order among the segments of one operator and key group: a higher level hides lower ones row by row. */
  readonly level: number;
}

/** A table of an operator as recorded in a manifest: enough to read segments without the job's code. */
export interface TableSchema {
  readonly name: string;
  readonly type: TypeNode;
  readonly origin: "declared" | "stream" | "inferred";
}

/** What becomes of a list's items at another parallelism; at the same one `split` and `ordered` items stay where they were. */
export type ListMode = "split" | "ordered" | "union";

/** A non-keyed list of an operator. Items are value-codec bytes, base64. */
export interface ListSnapshot {
  readonly name: string;
  readonly mode: ListMode;
  /** None when they are `stored`: a small list stands in the manifest itself, a large one in its subtask's object (STL-1). */
  readonly items: readonly string[];
  readonly stored?: StoredList;
}
/** A byte range of an object: the items of one list. */
export interface StoredList {
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  /** CRC32C of the range. */
  readonly crc: number;
}

export interface OperatorSnapshot {
  readonly uid: string;
  readonly keyType: TypeNode | null;
  readonly tables: readonly TableSchema[];
  readonly segments: readonly SegmentRef[];
  readonly lists: readonly ListSnapshot[];
  /** The operator's input watermark at the barrier. */
  readonly watermark: number;
}

/** What a subtask acknowledges. */
export interface SubtaskSnapshot {
  readonly vertex: string;
  readonly subtask: number;
  readonly operators: readonly OperatorSnapshot[];
  /** End of data had been reached on all inputs before the barrier. */
  readonly finished: boolean;
  /** Objects uploaded for exactly this checkpoint. */
  readonly uploaded: readonly { readonly object: string; readonly sizeBytes: number }[];
  readonly timings: {
    readonly alignmentMs: number;
    readonly syncMs: number;
    readonly asyncMs: number;
    readonly startDelayMs: number;
  };
  /** Bytes of all segments referenced, and of those new in this checkpoint. */
  readonly fullBytes: number;
  readonly newBytes: number;
}

export interface Manifest {
  readonly formatVersion: 1;
  readonly jobId: string;
  readonly checkpointId: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly base: number | null;
  readonly kind: "checkpoint" | "savepoint" | "final";
  readonly triggeredAt: number;
  /** Digest of the graph that wrote it. */
  readonly graphDigest: string;
  readonly vertices: readonly ManifestVertex[];
}
export interface ManifestVertex {
  readonly vertex: string;
  readonly uids: readonly string[];
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly subtasks: readonly SubtaskSnapshot[];
}

/** Entries of a job's log; all compete for the next slot. `nonce` tells the writer's own entry from another's after an unknown outcome. */
export type LogEntry =
  | ({ readonly kind: "claim"; readonly summary: LogSummary } & LogHead)
  | ({ readonly kind: "attempt" } & LogHead)
  | ({
      readonly kind: "checkpoint";
      readonly checkpointId: number;
      readonly manifest: string;
      readonly manifestSha256: string;
      readonly manifestBytes: number;
    } & LogHead)
  | ({ readonly kind: "committed"; readonly checkpointId: number } & LogHead)
  | ({
      readonly kind: "terminal";
      readonly state: "FINISHED" | "CANCELED" | "FAILED";
      readonly at: number;
      readonly reason?: string;
    } & LogHead);
export interface LogHead {
  readonly epoch: number;
  /** 0 for a claim. */
  readonly attempt: number;
  readonly nonce: string;
}
export interface CompletedCheckpoint {
  readonly checkpointId: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly manifest: string;
  readonly manifestSha256: string;
  readonly manifestBytes: number;
}

/** What is live: everything a reader needs of the log below a claim. */
export interface LogSummary {
  readonly newestCheckpoint: CompletedCheckpoint | null;
  /** Those completed before it, newest first, as many as a job may retain; absent: none. */
  readonly earlierCheckpoints?: readonly CompletedCheckpoint[];
  /** All committables of checkpoints up to this number are committed. 0: none. */
  readonly committedFloor: number;
  readonly terminal: "FINISHED" | "CANCELED" | "FAILED" | null;
  /** The highest attempt that any epoch has begun; absent: none. The next one is numbered on from it. */
  readonly attempts?: number;
  /** When the terminal state was reached, ms since the epoch. */
  readonly endedAt?: number;
}

/** What a subtask of a new attempt is given to restore from. Segments are already cut to the key groups it owns. */
export interface RestoreAssignment {
  readonly checkpointId: number;
  /** The job that wrote the checkpoint. */
  readonly jobId: string;
  /** By operator uid. */
  readonly operators: Readonly<Record<string, RestoredOperator>>;
}
export interface RestoredOperator {
  readonly keyType: TypeNode | null;
  readonly tables: readonly TableSchema[];
  readonly segments: readonly SegmentRef[];
  /** Restored lists by name, items already dealt out (split) or complete (union). */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** Watermarks of the old subtasks with the key groups [from, to) they owned. */
  readonly watermarks: readonly {
    readonly from: number;
    readonly to: number;
    readonly watermark: number;
  }[];
}
