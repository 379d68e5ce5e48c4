/**
 * One job: from its claim to its terminal entry. A shell around deciders: it owns the log, the attempt that runs, the timers,
 * and talks to TaskManagers; what to do is decided in `slots`, `deploy`, `checkpointing`, `@millrace/checkpoint`.
 *
 *   INITIALIZING ─claimed→ CREATED ─all tasks running→ RUNNING ─end of data, final checkpoint committed→ FINISHED
 *        any of these ─failure→ FAILING ─runners ended→ RESTARTING ─delay, slots→ (deploy) RUNNING
 *        any of these ─cancel→ CANCELLING ─committed, runners ended→ CANCELED        no restart allowed → FAILED
 *
 * JMA-1  Events of a job are handled one at a time; messages of another epoch or attempt are dropped before.
 * JMA-2  A new attempt starts only when every runner of the one before has been reported ended or its TaskManager is gone; one that
 *        lives on unseen can do no harm, because nothing of an older attempt is ever committed or restored.
 * JMA-3  Terminal is appended only after the last checkpoint's committables are committed: a job that has failed for good, or was
 *        cancelled between two attempts, gets an attempt of its committers only. FAILED without it only when that fails for good too.
 * JMA-4  Losing a slot of the log, or seeing a higher epoch, ends the whole JobManager (`LEADER_DEPOSED`).
 */
import { type Cancel, type ErrorInfo, errorInfo, type Logger, type Platform } from "@millrace/base";
import {
  commitRestarts,
  createRestartStrategy,
  type JobLog,
  type RestartStrategy,
} from "@millrace/checkpoint";
import type { Up } from "@millrace/protocol";
import type { BlobStore } from "@millrace/spi";
import { Actor } from "./actor.ts";
import { Checkpointing } from "./checkpointing.ts";
import { deploySlotMessages } from "./deploy.ts";
import { ExceptionHistory } from "./exceptions.ts";
import { Execution, type TaskStatus } from "./execution.ts";
import { fail } from "./fail.ts";
import { eventOf, type JobEvent, type JobUp, parseError } from "./job-events.ts";
import { isTerminal, JobStatus } from "./job-status.ts";
import type { CoordinatorOptions } from "./options.ts";
import { committersOf, tryAssignSlots } from "./slots.ts";
import type { Submission } from "./submission.ts";
import type { TaskManagers } from "./task-managers.ts";

export interface JobMasterContext {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly store: BlobStore;
  readonly options: CoordinatorOptions;
  readonly epoch: number;
  readonly taskManagers: TaskManagers;
  /** The log says that another leader has taken over, or the store holds what must not be: end this JobManager. */
  readonly onFatal: (error: unknown) => void;
  /** Slots became free, or the job ended: other jobs may want to look. */
  readonly onSlotsReleased: () => void;
}

export class JobMaster {
  readonly submission: Submission;
  readonly status: JobStatus;
  readonly exceptions = new ExceptionHistory();
  readonly checkpointing: Checkpointing;
  readonly #context: JobMasterContext;
  readonly #log: JobLog;
  readonly #logger: Logger;
  readonly #actor: Actor<JobEvent>;
  #restarts: RestartStrategy;
  #attempt: number;
  #execution: Execution | undefined;
  #cancelRequested = false;
  /** What to do when the last runner has ended. */
  /** How long it waits, or waited last, before it tries again. */
  restartDelayMs = 0;
  #waitingForDelay = false;
  #ending: "restart" | "failed" | "canceled" | "finished" | undefined;
  #rootCause: ErrorInfo | undefined;
  /** The end that waits for an attempt in which only committers run. */
  #commitOnly: "FAILED" | "CANCELED" | undefined;
  #timers = new Set<Cancel>();
  restartCount = 0;

  constructor(context: JobMasterContext, submission: Submission, log: JobLog) {
    this.#context = context;
    this.submission = submission;
    this.#log = log;
    this.#attempt = log.summary.attempts ?? 0;
    this.#logger = context.logger.child({ job: submission.jobId });
    this.status = new JobStatus(submission.submittedAt);
    this.#actor = new Actor(
      (event) => this.#handle(event),
      (error) => context.onFatal(error),
    );
    this.#restarts = createRestartStrategy(
      submission.graph.options.restart,
      context.platform.random,
    );
    this.checkpointing = new Checkpointing({
      platform: context.platform,
      logger: this.#logger,
      store: context.store,
      log,
      submission,
      epoch: context.epoch,
      taskManagers: context.taskManagers,
      onTick: () => this.#actor.post({ kind: "checkpoint-tick" }),
    });
  }

  /** The attempt that runs or ran last. */
  get execution(): Execution | undefined {
    return this.#execution;
  }
  get attempt(): number {
    return this.#attempt;
  }
  get rootCause(): ErrorInfo | undefined {
    return this.#rootCause;
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
  /** Resolves with the number of the completed checkpoint. */
  requestCheckpoint(): Promise<{ readonly checkpointId: number }> {
    return new Promise((resolve, reject) => {
      this.#actor.post({
        kind: "checkpoint-request",
        done: (result) => ("error" in result ? reject(result.error) : resolve(result)),
      });
    });
  }
  taskManagerLost(taskManager: string): void {
    this.#actor.post({ kind: "task-manager-lost", taskManager });
  }
  /** A message about this job. Dropped unless it is of the attempt that runs (JMA-1). */
  message(taskManager: string, up: JobUp): void {
    const ref = up.value.attempt;
    if (ref === undefined || ref.epoch !== this.#context.epoch || ref.attempt !== this.#attempt)
      return;
    this.#actor.post(eventOf(taskManager, up));
  }
  close(): void {
    this.#actor.end();
    this.checkpointing.stop();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  async #handle(event: JobEvent): Promise<void> {
    if (isTerminal(this.status.state)) {
      if (event.kind === "runner-exited") this.#runnerGone(event.taskManager);
      if (event.kind === "checkpoint-request")
        event.done({
          error: fail("JOB_ALREADY_TERMINAL", { fields: { jobId: this.submission.jobId } }),
        });
      return;
    }
    switch (event.kind) {
      case "schedule":
        return await this.#schedule();
      case "runner-ready":
        return await this.#runnerReady(event.taskManager, event.message);
      case "runner-exited":
        return await this.#runnerExited(event.taskManager, event.message);
      case "task-manager-lost":
        return await this.#taskManagerLost(event.taskManager);
      case "task-state":
        return await this.#taskState(event.message);
      case "end-of-data":
        return this.#endOfData(event.message);
      case "acknowledged":
        return await this.#afterCheckpoint(this.checkpointing.acknowledged(event.message));
      case "declined":
        return await this.#afterCheckpoint(this.checkpointing.declined(event.message));
      case "commit-finished":
        return await this.#commitFinished(event.message);
      case "checkpoint-tick":
        return await this.#afterCheckpoint(this.checkpointing.tick());
      case "checkpoint-request":
        return this.#checkpointRequest(event.done);
      case "start-timeout":
        if (
          event.attempt === this.#attempt &&
          this.#ending === undefined &&
          this.status.state !== "RUNNING"
        ) {
          await this.#fail(errorInfo(fail("JOB_RUNNER_TIMEOUT")));
        }
        return;
      case "stop-timeout": {
        // The runner does not answer: its TaskManager is cut off or dead, which its own timeout will show. JMA-2 makes going on safe.
        if (event.attempt !== this.#attempt || this.#ending === undefined) return;
        const runners = [...(this.#execution?.runners ?? [])];
        for (const taskManager of runners) this.#runnerGone(taskManager);
        return runners.length > 0 ? await this.#allRunnersGone() : undefined;
      }
      case "cancel":
        return await this.#cancel();
    }
  }

  // ── starting an attempt ────────────────────────────────────────────────────────────────────

  async #schedule(): Promise<void> {
    if (this.#execution !== undefined || this.#ending !== undefined || this.#waitingForDelay)
      return;
    if (this.#cancelRequested && this.checkpointing.nothingToCommit)
      return await this.#finish("CANCELED");
    if (this.#cancelRequested && this.#commitOnly === undefined)
      this.#runCommittersOnly("CANCELED");
    const graph =
      this.#commitOnly === undefined ? this.submission.graph : committersOf(this.submission.graph);
    const plan = tryAssignSlots(graph, this.#context.taskManagers.free());
    if (plan === undefined) return;
    this.#attempt += 1;
    await this.#log.append({ kind: "attempt", attempt: this.#attempt });
    const now = this.#context.platform.clock.now();
    const execution = new Execution({ graph, attempt: this.#attempt, plan, now });
    this.#execution = execution;
    this.#context.taskManagers.take(plan.slots, this.#owner());
    execution.moveAll("DEPLOYING", now);
    for (const taskManager of execution.taskManagers()) {
      this.#context.taskManagers.send(taskManager, "startRunner", {
        attempt: this.#ref(),
        slots: plan.slots
          .filter((slot) => slot.taskManager === taskManager)
          .map((slot) => slot.slot),
        bundle: this.submission.bundle,
        parameters: JSON.stringify(this.submission.build),
        graphDigest: graph.digest,
        jobName: this.submission.jobName,
      });
    }
    this.#after(this.#context.options.runnerStartTimeoutMs, {
      kind: "start-timeout",
      attempt: this.#attempt,
    });
  }

  async #runnerReady(taskManager: string, message: Up<"runnerReady">): Promise<void> {
    const execution = this.#execution;
    if (execution === undefined || this.#ending !== undefined) return;
    execution.ready(taskManager, message.slots);
    if (execution.endpoints() === undefined) return;
    let restored: Awaited<ReturnType<Checkpointing["restore"]>>;
    try {
      restored = await this.checkpointing.restore();
    } catch (error) {
      return await this.#fail(errorInfo(error, "CHECKPOINT_RESTORE_FAILED"));
    }
    const messages = deploySlotMessages({
      execution,
      attempt: this.#ref(),
      restore: restored,
      committedFloor: this.#log.summary.committedFloor,
    });
    for (const { taskManager: id, message: deploy } of messages ?? [])
      this.#context.taskManagers.send(id, "deploySlot", deploy);
  }

  async #taskState(message: Up<"taskStateChanged">): Promise<void> {
    const execution = this.#execution;
    const task = execution?.task(message.vertex, message.subtask);
    if (execution === undefined || task === undefined) return;
    const now = this.#context.platform.clock.now();
    if (!execution.move(task, message.state as TaskStatus["state"], now)) return;
    if (message.state === "FAILED" && this.#ending === undefined)
      return await this.#fail(parseError(message.error), task);
    if (message.state !== "RUNNING" || this.#ending !== undefined || !execution.every("RUNNING"))
      return;
    if (this.#commitOnly === undefined)
      this.status.enter(this.#cancelRequested ? "CANCELLING" : "RUNNING", now);
    this.#restarts.running(this.#context.platform.clock.monotonic());
    this.#logger.info("all tasks running", { attempt: this.#attempt });
    await this.#afterCheckpoint(this.checkpointing.attemptRunning(execution, this.#ref()));
  }

  // ── checkpoints and the end of data ────────────────────────────────────────────────────────

  #endOfData(message: Up<"endOfDataReached">): void {
    const execution = this.#execution;
    const task = execution?.task(message.vertex, message.subtask);
    if (execution === undefined || task === undefined) return;
    task.endOfData = true;
    if (
      execution.endOfDataEverywhere() &&
      this.#ending === undefined &&
      this.#commitOnly === undefined
    )
      this.checkpointing.requestFinal();
  }

  #checkpointRequest(
    done: (result: { readonly checkpointId: number } | { readonly error: unknown }) => void,
  ): void {
    if (this.status.state !== "RUNNING") {
      done({
        error: fail("JOB_NOT_RUNNING", {
          fields: { jobId: this.submission.jobId, state: this.status.state },
        }),
      });
    } else this.checkpointing.request(done);
  }

  /** Acts on what the checkpointing says has become of the job. */
  async #afterCheckpoint(step: ReturnType<Checkpointing["tick"]>): Promise<void> {
    const outcome = await step;
    if (this.#ending !== undefined) return;
    if (outcome.kind === "fail") await this.#fail(outcome.error);
    else if (outcome.kind === "final-committed") await this.#stop("finished");
    else if (this.checkpointing.nothingToCommit) {
      if (this.#commitOnly === "FAILED") await this.#stop("failed");
      else if (this.#cancelRequested) await this.#stop("canceled");
    }
  }

  async #commitFinished(message: Up<"commitFinished">): Promise<void> {
    if (message.error !== "") {
      const cause = parseError(message.error);
      if (this.#ending === undefined)
        await this.#fail(
          cause.retry === "never" ? cause : { ...errorInfo(fail("JOB_COMMIT_FAILED")), cause },
        );
      return;
    }
    await this.#afterCheckpoint(this.checkpointing.commitFinished(message));
  }

  // ── failures and the end ───────────────────────────────────────────────────────────────────

  async #fail(error: ErrorInfo, task?: TaskStatus): Promise<void> {
    const now = this.#context.platform.clock.now();
    const vertex =
      task === undefined
        ? undefined
        : this.submission.graph.vertices.find((v) => v.id === task.vertex);
    const place = task === undefined ? undefined : this.execution?.endpointOf(task.slot);
    this.exceptions.add({
      at: now,
      attempt: this.#attempt,
      error,
      ...(task === undefined
        ? {}
        : { task: `${task.vertex}#${task.subtask}`, taskManager: task.slot.taskManager }),
      ...(vertex === undefined ? {} : { taskName: vertex.name }),
      ...(place === undefined ? {} : { endpoint: `${place.host}:${place.port}` }),
    });
    if (this.#ending !== undefined) return;
    if (this.#commitOnly !== "FAILED") this.#rootCause = error;
    this.#logger.warn("attempt failed", {
      attempt: this.#attempt,
      code: error.code,
      error: error.message,
      task: task === undefined ? undefined : `${task.vertex}#${task.subtask}`,
    });
    const restart =
      error.retry === "never"
        ? "no"
        : this.#restarts.failed(this.#context.platform.clock.monotonic());
    this.restartDelayMs = restart === "no" ? 0 : restart.delayMs;
    if (!this.#cancelRequested) this.status.enter("FAILING", now);
    await this.#stop(restart === "no" ? "failed" : "restart");
  }

  async #cancel(): Promise<void> {
    if (this.#cancelRequested) return;
    this.#cancelRequested = true;
    this.checkpointing.pauseTriggers();
    this.status.enter("CANCELLING", this.#context.platform.clock.now());
    if (!this.checkpointing.nothingToCommit) return; // JMA-3: #afterCheckpoint stops it once everything is committed
    if (this.#ending === "restart") this.#ending = "canceled";
    else if (this.#ending === undefined)
      await (this.#execution === undefined ? this.#finish("CANCELED") : this.#stop("canceled"));
  }

  /** Ends the runners of this attempt; `#allRunnersGone` goes on from there. */
  async #stop(why: "restart" | "failed" | "canceled" | "finished"): Promise<void> {
    this.#ending = why;
    this.checkpointing.attemptEnded(why);
    const execution = this.#execution;
    if (execution === undefined || execution.runners.size === 0)
      return await this.#allRunnersGone();
    for (const taskManager of execution.runners) {
      this.#context.taskManagers.send(taskManager, "stopRunner", {
        attempt: this.#ref(),
        reason: why,
        graceMs: this.#context.options.stopGraceMs,
      });
    }
    this.#after(this.#context.options.stopGraceMs * 2 + 1_000, {
      kind: "stop-timeout",
      attempt: this.#attempt,
    });
  }

  async #runnerExited(taskManager: string, message: Up<"runnerExited">): Promise<void> {
    this.#runnerGone(taskManager);
    if (this.#ending === undefined) {
      const cause = message.error === "" ? undefined : parseError(message.error);
      await this.#fail({
        ...errorInfo(
          fail("JOB_RUNNER_LOST", {
            fields: { taskManager, exitCode: message.exitCode, signal: message.signal },
          }),
        ),
        ...(cause === undefined ? {} : { cause }),
      });
    } else if (this.#execution?.runners.size === 0) await this.#allRunnersGone();
  }

  async #taskManagerLost(taskManager: string): Promise<void> {
    if (this.#execution?.runners.has(taskManager) !== true) return;
    this.#runnerGone(taskManager);
    if (this.#ending === undefined)
      await this.#fail(errorInfo(fail("JOB_TASK_MANAGER_LOST", { fields: { taskManager } })));
    else if (this.#execution.runners.size === 0) await this.#allRunnersGone();
  }

  #runnerGone(taskManager: string): void {
    this.#execution?.runners.delete(taskManager);
    this.#context.taskManagers.release(taskManager, this.#owner());
    this.#context.onSlotsReleased();
  }

  async #allRunnersGone(): Promise<void> {
    const why = this.#ending;
    const now = this.#context.platform.clock.now();
    this.#execution?.moveAll(why === "finished" ? "FINISHED" : "CANCELED", now);
    switch (why) {
      case undefined:
        return;
      case "finished":
      case "canceled":
        return await this.#finish(why === "finished" ? "FINISHED" : "CANCELED");
      case "failed":
        if (this.checkpointing.nothingToCommit || this.#commitOnly !== undefined)
          return await this.#finish("FAILED");
        this.#runCommittersOnly("FAILED");
        this.restartDelayMs = 0;
        return this.#again();
      case "restart":
        if (this.#cancelRequested && this.checkpointing.nothingToCommit)
          return await this.#finish("CANCELED");
        this.restartCount += 1;
        if (!this.#cancelRequested && this.#commitOnly === undefined)
          this.status.enter("RESTARTING", now);
        return this.#again();
    }
  }
  #runCommittersOnly(end: "FAILED" | "CANCELED"): void {
    this.#commitOnly = end;
    this.#restarts = createRestartStrategy(commitRestarts, this.#context.platform.random);
    this.checkpointing.pauseTriggers();
  }
  /** Another attempt, after the delay. */
  #again(): void {
    this.#ending = undefined;
    this.#execution = undefined;
    this.#waitingForDelay = true;
    const cancel = this.#context.platform.timers.after(this.restartDelayMs, () => {
      this.#timers.delete(cancel);
      this.#waitingForDelay = false;
      this.#actor.post({ kind: "schedule" });
    });
    this.#timers.add(cancel);
  }

  async #finish(state: "FINISHED" | "CANCELED" | "FAILED"): Promise<void> {
    const reason = state === "FAILED" ? this.#rootCause?.message : undefined;
    const at = this.#context.platform.clock.now();
    await this.#log.append({
      kind: "terminal",
      attempt: this.#attempt,
      state,
      at,
      ...(reason === undefined ? {} : { reason }),
    });
    this.status.enter(state, at);
    this.checkpointing.stop();
    this.#logger.info("job ended", { state });
    await this.checkpointing.afterTerminal(state, this.#attempt);
    this.#context.onSlotsReleased();
  }

  #after(delayMs: number, event: JobEvent): void {
    const cancel = this.#context.platform.timers.after(delayMs, () => {
      this.#timers.delete(cancel);
      this.#actor.post(event);
    });
    this.#timers.add(cancel);
  }
  #ref() {
    return { jobId: this.submission.jobId, epoch: this.#context.epoch, attempt: this.#attempt };
  }
  #owner(): string {
    return `${this.submission.jobId} ${this.#context.epoch}.${this.#attempt}`;
  }
}
