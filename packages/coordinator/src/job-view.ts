/** What can be seen of a job, whether it runs here, has ended before this leader, or could not be loaded. */
import type { ErrorInfo, JobId } from "@millrace/base";
import { type JobGraph, plainOptions } from "@millrace/graph";
import { CheckpointHistory } from "./checkpoint-history.ts";
import type { EndedRecord } from "./ended-record.ts";
import { ExceptionHistory } from "./exceptions.ts";
import type { Execution } from "./execution.ts";
import { fail } from "./fail.ts";
import { JobStatus } from "./job-status.ts";
import type { Submission } from "./submission.ts";

export interface JobView {
  readonly submission: Submission;
  readonly status: Pick<JobStatus, "state" | "timestamps">;
  readonly exceptions: Pick<ExceptionHistory, "roots">;
  readonly checkpointing: {
    readonly history: CheckpointHistory;
    readonly nothingToCommit: boolean;
  };
  /** The attempt that runs or ran last; undefined when none ran under this leader. */
  readonly execution: Execution | undefined;
  readonly attempt: number;
  readonly restartCount: number;
  /** Before the attempt that is to come, or came last. */
  readonly restartDelayMs: number;
  readonly rootCause: ErrorInfo | undefined;
  /** The slots that the next attempt waits for; undefined: it does not. */
  readonly waitsForSlots: { readonly needed: number; readonly free: number } | undefined;
  /** `full`: one without a base. */
  requestCheckpoint(full?: boolean): Promise<{ readonly checkpointId: number }>;
}

/** A job that had ended before this leader came: its end, and no history. */
export function endedView(submission: Submission, record: EndedRecord): JobView {
  return stillView(submission, record.attempts, (status) =>
    status.enter(record.state, record.endedAt),
  );
}

/** A job of which the store holds what can't be read: FAILED for as long as that is so, and nothing of it is touched. */
export function unloadableView(submission: Submission, error: ErrorInfo, now: number): JobView {
  const view = stillView(submission, 0, (status) => status.enter("FAILED", now), error);
  return view;
}

/** Stands for a submission that can't be read. */
export function unreadableSubmission(jobId: JobId, now: number): Submission {
  return {
    formatVersion: 1,
    jobId,
    jobName: "(unreadable)",
    graph: emptyGraph,
    bundle: "",
    build: { parameters: {} },
    submittedAt: now,
    epoch: 1,
  };
}

function stillView(
  submission: Submission,
  attempt: number,
  enter: (status: JobStatus) => void,
  rootCause?: ErrorInfo,
): JobView {
  const status = new JobStatus(submission.submittedAt);
  enter(status);
  const exceptions = new ExceptionHistory();
  const at = status.timestamps[status.state];
  if (rootCause !== undefined) exceptions.add({ at, attempt, error: rootCause });
  return {
    submission,
    status,
    exceptions,
    checkpointing: { history: new CheckpointHistory(), nothingToCommit: true },
    execution: undefined,
    attempt,
    restartCount: 0,
    restartDelayMs: 0,
    rootCause,
    waitsForSlots: undefined,
    async requestCheckpoint() {
      throw fail("JOB_ALREADY_TERMINAL", { fields: { jobId: submission.jobId } });
    },
  };
}

const emptyGraph: JobGraph = {
  formatVersion: 1,
  options: { ...plainOptions, name: "(unreadable)" },
  vertices: [],
  edges: [],
  digest: "",
};
