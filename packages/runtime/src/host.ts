/**
 * What a slot needs from the process around it, and what it reports. Everything here is injected, so the same slot runs
 * in a worker thread, on one event loop with its JobManager, or on a virtual clock.
 */
import type { ErrorInfo, Logger, Platform } from "@millrace/base";
import type { RestoreAssignment, SubtaskSnapshot } from "@millrace/checkpoint";
import type { Transport } from "@millrace/exchange";
import type { JobOptions, TaskDeployment } from "@millrace/graph";
import type { BlockCompression, SegmentBuilder } from "@millrace/state";

export interface JobContext {
  readonly jobId: string;
  readonly jobName: string;
  readonly epoch: number;
  readonly attempt: number;
  readonly options: JobOptions;
  /** Checkpoints up to this number are committed: committables at or below are dropped at restore. */
  readonly committedFloor: number;
}

/** Objects of the job's store as a slot reads them: to restore, and to merge. */
export interface SnapshotObjects {
  getRange(key: string, from: number, to: number): Promise<Uint8Array | undefined>;
}

/** The operator that user code belongs to. */
export interface CodeOwner {
  readonly uid: string;
  readonly subtask: number;
}

export interface SlotHost {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly job: JobContext;
  readonly transport: Transport;
  readonly objects: SnapshotObjects;
  /** How segment blocks are compressed; undefined: not at all. */
  readonly compression: BlockCompression | undefined;
  /** Makes segments of what a snapshot copied and stores them, on another thread where there is one. */
  readonly segments: SegmentBuilder;
  /** Closures of the job by operator uid. */
  functions(uid: string): Readonly<Record<string, unknown>>;
  secrets(name: string): string;
  report(event: SlotEvent): void;
  /**
   * Runs it so that it, and whatever it begins (what follows an `await`, timers), is known to be that operator's; undefined: nobody's.
   * For what is printed where no stack tells it; never on the way of a record.
   */
  attributed<T>(owner: CodeOwner | undefined, run: () => T): T;
  /** Named points at which a test may kill or pause this process; does nothing in production. */
  faultPoint(name: string): void;
  /** Raise STATE_NOT_UPDATED when a value handed out by state was changed and not written back. */
  readonly checkMutations: boolean;
}

export type SlotEvent =
  | {
      readonly kind: "state";
      readonly vertex: string;
      readonly subtask: number;
      readonly state: "INITIALIZING" | "RUNNING" | "FINISHED" | "FAILED" | "CANCELED";
      readonly error?: ErrorInfo;
    }
  | { readonly kind: "end-of-data"; readonly vertex: string; readonly subtask: number }
  | {
      readonly kind: "acknowledged";
      readonly checkpointId: number;
      readonly snapshot: SubtaskSnapshot;
    }
  | {
      readonly kind: "declined";
      readonly checkpointId: number;
      readonly vertex: string;
      readonly subtask: number;
      readonly error: ErrorInfo;
    }
  | {
      readonly kind: "committed";
      readonly checkpointId: number;
      readonly vertex: string;
      readonly error?: ErrorInfo;
    };

/** A slot's work: its subtasks and, by "<vertex>#<subtask>", what each restores from. */
export interface SlotDeployment {
  readonly tasks: readonly TaskDeployment[];
  readonly restore: Readonly<Record<string, RestoreAssignment>>;
}
