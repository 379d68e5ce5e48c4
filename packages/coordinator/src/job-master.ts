/**
 * One job as the coordinator holds it: the door to its life (`JobRun`). Events go in, one at a time; what it has become is read.
 *
 * JMA-1  Events of a job are handled one at a time. A message of another epoch or attempt than the one that runs when its turn comes is
 *        dropped; only that an older runner has ended is of interest.
 * JMA-4  Only what the log says ends the whole JobManager: a slot lost, a higher epoch seen, an entry whose fate is not known. Any other
 *        error in handling what happens to a job costs that job its attempt.
 */
import { type ErrorInfo, errorInfo, type Logger } from "@millrace/base";
import type { JobLog } from "@millrace/checkpoint";
import type { AttemptMessage } from "@millrace/protocol";
import { Actor } from "./actor.ts";
import type { Checkpointing } from "./checkpointing.ts";
import type { ExceptionHistory } from "./exceptions.ts";
import type { Execution } from "./execution.ts";
import { fail } from "./fail.ts";
import { eventOf, type JobEvent, type JobUp } from "./job-events.ts";
import { type JobMasterContext, JobRun } from "./job-run.ts";
import type { JobStatus } from "./job-status.ts";
import type { Submission } from "./submission.ts";

interface Message {
  readonly kind: "message";
  readonly taskManager: string;
  readonly up: JobUp;
}

export class JobMaster {
  readonly submission: Submission;
  readonly #context: JobMasterContext;
  readonly #log: JobLog;
  readonly #logger: Logger;
  readonly #actor: Actor<JobEvent | Message>;
  readonly #run: JobRun;

  constructor(context: JobMasterContext, submission: Submission, log: JobLog) {
    this.#context = context;
    this.submission = submission;
    this.#log = log;
    this.#logger = context.logger.child({ job: submission.jobId });
    this.#actor = new Actor(
      (event) => this.#handle(event),
      (error) => context.onFatal(error),
    );
    this.#run = new JobRun({
      context: { ...context, logger: this.#logger },
      submission,
      log,
      post: (event) => this.#actor.post(event),
    });
  }

  get status(): JobStatus {
    return this.#run.status;
  }
  get exceptions(): ExceptionHistory {
    return this.#run.exceptions;
  }
  get checkpointing(): Checkpointing {
    return this.#run.checkpointing;
  }
  /** The attempt that runs or ran last. */
  get execution(): Execution | undefined {
    return this.#run.execution;
  }
  get attempt(): number {
    return this.#run.attempt;
  }
  get restartCount(): number {
    return this.#run.restartCount;
  }
  get restartDelayMs(): number {
    return this.#run.restartDelayMs;
  }
  get rootCause(): ErrorInfo | undefined {
    return this.#run.rootCause;
  }
  /** The slots that the next attempt waits for; undefined: it does not. */
  get waitsForSlots(): { readonly needed: number; readonly free: number } | undefined {
    return this.#run.waitsForSlots;
  }

  /** Begins (or resumes) the job; a job whose log is terminal only shows its end. */
  start(): void {
    const { terminal, endedAt } = this.#log.summary;
    this.status.enter(terminal ?? "CREATED", endedAt ?? this.#context.platform.clock.now());
    if (terminal === null) this.#actor.post({ kind: "schedule" });
  }
  slotsChanged(): void {
    this.#actor.post({ kind: "schedule" });
  }
  cancel(): void {
    this.#actor.post({ kind: "cancel" });
  }
  /** Resolves with the number of the completed checkpoint. `full`: one without a base. */
  requestCheckpoint(full = false): Promise<{ readonly checkpointId: number }> {
    return new Promise((resolve, reject) => {
      this.#actor.post({
        kind: "checkpoint-request",
        full,
        done: (result) => ("error" in result ? reject(result.error) : resolve(result)),
      });
    });
  }
  taskManagerLost(taskManager: string): void {
    this.#actor.post({ kind: "task-manager-lost", taskManager });
  }
  /** A TaskManager is there (again), with these runners alive on it. */
  taskManagerRegistered(taskManager: string, alive: readonly AttemptMessage[]): void {
    const runners = alive.filter(({ jobId }) => jobId === this.submission.jobId);
    this.#actor.post({ kind: "task-manager-registered", taskManager, runners });
  }
  /** A message about this job, of whichever attempt. */
  message(taskManager: string, up: JobUp): void {
    this.#actor.post({ kind: "message", taskManager, up });
  }
  close(): void {
    this.#actor.end();
    this.#run.close();
  }

  async #handle(event: JobEvent | Message): Promise<void> {
    try {
      const handled = event.kind === "message" ? this.#eventOf(event) : event;
      if (handled !== undefined) await this.#run.handle(handled);
    } catch (error) {
      if (!this.#log.leading) throw error; // JMA-4
      this.#logger.error("an event could not be handled", {
        event: event.kind,
        error: errorInfo(error).message,
      });
      await this.#run.fail({ ...errorInfo(fail("JOB_CONTROL_FAILED")), cause: errorInfo(error) });
    }
  }
  #eventOf({ taskManager, up }: Message): JobEvent | undefined {
    const { attempt } = up.value;
    if (attempt === undefined) return undefined;
    if (attempt.epoch === this.#context.epoch && attempt.attempt === this.attempt)
      return eventOf(taskManager, up);
    return up.$case === "runnerExited"
      ? { kind: "older-runner-exited", taskManager, attempt }
      : undefined;
  }
}
