/**
 * One job's life: from its claim to its terminal entry. A shell around deciders: it owns the attempt that runs and the timers,
 * and talks to TaskManagers; what to do is decided in `slots`, `deploy`, `ending`, `checkpointing`, `@millrace/checkpoint`.
 *
 *   INITIALIZING ─claimed→ CREATED ─all tasks running→ RUNNING ─end of data, final checkpoint committed→ FINISHED
 *        any of these ─failure→ FAILING ─runners ended→ RESTARTING ─delay, slots→ (deploy) RUNNING
 *        any of these ─cancel→ CANCELLING ─runners ended, committed, swept→ CANCELED       no restart allowed → FAILED
 *
 * JMA-2  A new attempt starts only when every runner of the one before has been reported ended or its TaskManager is gone; one that
 *        lives on unseen can do no harm, because nothing of an older attempt is ever committed or restored.
 * JMA-3  Terminal is appended only after the last checkpoint's committables are committed and the last sweep is done (CMT-4). A job
 *        with committers that is cancelled or has failed for good therefore ends through an attempt of its committers alone, once any
 *        attempt has begun. That one waits for slots for as long as there is something to commit: to end without would lose it; for a
 *        sweep alone it waits as long as any other. FAILED without the commit only when that fails for good too.
 * JMA-5  A job that has never run and gets no slots in time fails; one that has run counts it as a failure and tries again.
 * JMA-6  The next attempt's tasks are deployed no sooner than the restart's delay after the end of the one before; its runners, which hold
 *        nothing of the job but its code, are started up to `runnerLeadMs` before that.
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
import { Checkpointing } from "./checkpointing.ts";
import { deploySlotMessages, startRunners, stopRunners } from "./deploy.ts";
import { decideEnd, type End, type Ending } from "./ending.ts";
import { ExceptionHistory } from "./exceptions.ts";
import { Execution, type TaskStatus } from "./execution.ts";
import { fail } from "./fail.ts";
import { type JobEvent, parseError } from "./job-events.ts";
import { isTerminal, JobStatus } from "./job-status.ts";
import { JobTimers } from "./job-timers.ts";
import { OlderRunners } from "./older-runners.ts";
import type { CoordinatorOptions } from "./options.ts";
import { SlotRequest } from "./slot-request.ts";
import { committersOf } from "./slots.ts";
import type { Submission } from "./submission.ts";
import type { TaskManagers } from "./task-managers.ts";

/** What a runner takes to start on a machine that has other work; not longer, since it holds slots and memory meanwhile. */
const runnerLeadMs = 500;

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

export interface JobRunOptions {
  readonly context: JobMasterContext;
  readonly submission: Submission;
  readonly log: JobLog;
  /** An event for `handle`, later and in order. */
  readonly post: (event: JobEvent) => void;
}

export class JobRun {
  readonly status: JobStatus;
  readonly exceptions = new ExceptionHistory();
  readonly checkpointing: Checkpointing;
  readonly #context: JobMasterContext;
  readonly #submission: Submission;
  readonly #log: JobLog;
  readonly #logger: Logger;
  readonly #post: (event: JobEvent) => void;
  readonly #slots: SlotRequest;
  readonly #older: OlderRunners;
  #restarts: RestartStrategy;
  #attempt: number;
  #execution: Execution | undefined;
  #cancelRequested = false;
  /** What to do when the last runner has ended. */
  #ending: Ending | undefined;
  /** How long it waits, or waited last, before it tries again. */
  restartDelayMs = 0;
  #cancelDelay: Cancel | undefined;
  /** Monotonic ms at which that delay is over. */
  #deployAt = 0;
  #rootCause: ErrorInfo | undefined;
  /** The end that waits for an attempt in which only committers run. */
  #closing: "FAILED" | "CANCELED" | undefined;
  readonly #timers: JobTimers;
  restartCount = 0;

  constructor(options: JobRunOptions) {
    const { context, submission, log } = options;
    this.#post = options.post;
    this.#context = context;
    this.#submission = submission;
    this.#log = log;
    this.#attempt = log.summary.attempts ?? 0;
    this.#logger = context.logger;
    this.status = new JobStatus(submission.submittedAt);
    this.#restarts = createRestartStrategy(
      submission.graph.options.restart,
      context.platform.random,
    );
    this.#timers = new JobTimers(context.platform.timers);
    this.#older = new OlderRunners(2 * context.options.heartbeatTimeoutMs);
    // What earlier leaders started, nobody tells.
    if (this.#attempt > 0) this.#older.lost("?", this.#ref(), context.platform.clock.monotonic());
    this.#slots = new SlotRequest({
      platform: context.platform,
      taskManagers: context.taskManagers,
      jobId: submission.jobId,
      timeoutMs: context.options.slotRequestTimeoutMs,
      onTimeout: () => this.#post({ kind: "slots-timeout" }),
      onSlotsReleased: context.onSlotsReleased,
    });
    this.checkpointing = new Checkpointing({
      platform: context.platform,
      logger: this.#logger,
      store: context.store,
      log,
      submission,
      taskManagers: context.taskManagers,
      older: this.#older,
      onTick: () => this.#post({ kind: "checkpoint-tick" }),
    });
  }

  get execution(): Execution | undefined {
    return this.#execution;
  }
  get attempt(): number {
    return this.#attempt;
  }
  get rootCause(): ErrorInfo | undefined {
    return this.#rootCause;
  }
  get waitsForSlots(): { readonly needed: number; readonly free: number } | undefined {
    return this.#slots.waiting;
  }
  close(): void {
    this.#slots.cancel();
    this.checkpointing.attemptEnded();
    this.#timers.close();
  }

  async handle(event: JobEvent): Promise<void> {
    if (isTerminal(this.status.state)) {
      if (event.kind === "checkpoint-request")
        event.done({
          error: fail("JOB_ALREADY_TERMINAL", { fields: { jobId: this.#submission.jobId } }),
        });
      return;
    }
    switch (event.kind) {
      case "schedule":
        return await this.#schedule();
      case "slots-timeout":
        return await this.#slotsTimeout();
      case "runner-ready":
        return await this.#runnerReady(event.taskManager, event.message);
      case "deploy":
        if (event.attempt !== this.#attempt || this.#ending !== undefined) return;
        return this.#execution === undefined ? undefined : await this.#deploy(this.#execution);
      case "runner-exited":
        return await this.#runnerExited(event.taskManager, event.message);
      case "older-runner-exited":
        this.#older.ended(event.taskManager, event.attempt);
        return await this.#afterCheckpoint(this.checkpointing.tick());
      case "task-manager-lost":
        return await this.#taskManagerLost(event.taskManager);
      case "task-manager-registered":
        this.#older.registered(
          event.taskManager,
          event.runners,
          this.#context.platform.clock.monotonic(),
        );
        return await this.#afterCheckpoint(this.checkpointing.tick());
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
        return this.#checkpointRequest(event);
      case "start-timeout":
        if (event.attempt === this.#attempt && this.#execution?.running === false)
          await this.fail(errorInfo(fail("JOB_RUNNER_TIMEOUT")));
        return;
      case "stop-timeout": {
        // The runner does not answer: its TaskManager is cut off or dead, which its own timeout will show. JMA-2 makes going on safe.
        if (event.attempt !== this.#attempt || this.#ending === undefined) return;
        const runners = [...(this.#execution?.runners ?? [])];
        for (const taskManager of runners) this.#runnerGone(taskManager, "unseen");
        return runners.length > 0 ? await this.#allRunnersGone() : undefined;
      }
      case "cancel":
        return await this.#cancel();
    }
  }

  // ── starting an attempt ────────────────────────────────────────────────────────────────────

  async #schedule(): Promise<void> {
    if (
      this.#execution !== undefined ||
      this.#ending !== undefined ||
      this.#cancelDelay !== undefined
    )
      return;
    const whole = this.#submission.graph;
    const graph = this.#closing === undefined ? whole : committersOf(whole);
    const { taskManagers, options, platform } = this.#context;
    // Before the attempt is recorded, so that nobody else sees the slots free meanwhile (TMR-2).
    const attempt = this.#attempt + 1;
    const plan = this.#slots.tryTake(graph, this.#owner(attempt));
    if (plan === undefined) return;
    this.#attempt = attempt;
    await this.#log.append({ kind: "attempt", attempt });
    if (!taskManagers.holds(plan.slots, this.#owner())) {
      taskManagers.release(this.#owner());
      return this.#context.onSlotsReleased();
    }
    const now = platform.clock.now();
    const execution = new Execution({ graph, attempt, plan, now });
    this.#execution = execution;
    execution.moveAll("DEPLOYING", now);
    startRunners(taskManagers, execution, this.#ref(), this.#submission);
    this.#after(options.runnerStartTimeoutMs, { kind: "start-timeout", attempt });
  }

  /** JMA-5; JMA-3 for an attempt of committers. */
  async #slotsTimeout(): Promise<void> {
    const waiting = this.#slots.waiting;
    if (waiting === undefined || this.#execution !== undefined) return;
    const error = errorInfo(fail("JOB_NO_SLOTS", { fields: { ...waiting } }));
    if (this.#closing === undefined)
      return await this.fail(this.#attempt === 0 ? { ...error, retry: "never" } : error);
    this.#logger.warn("no slots for what is left to commit or to sweep", { ...waiting });
    if (this.checkpointing.nothingToCommit) await this.#finish(this.#closing);
  }

  async #runnerReady(taskManager: string, message: Up<"runnerReady">): Promise<void> {
    const execution = this.#execution;
    if (execution === undefined || this.#ending !== undefined) return;
    execution.ready(taskManager, message.slots);
    if (execution.endpoints() === undefined) return;
    const earlyMs = this.#deployAt - this.#context.platform.clock.monotonic();
    if (earlyMs > 0) return this.#after(earlyMs, { kind: "deploy", attempt: this.#attempt });
    await this.#deploy(execution);
  }

  async #deploy(execution: Execution): Promise<void> {
    let restored: Awaited<ReturnType<Checkpointing["restore"]>>;
    try {
      restored = await this.checkpointing.restore();
    } catch (error) {
      return await this.fail(errorInfo(error, "CHECKPOINT_RESTORE_FAILED"));
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
    if (!execution.move(task, message.state, now)) return;
    if (message.state === "FAILED" && this.#ending === undefined)
      return await this.fail(parseError(message.error), task);
    if (message.state !== "RUNNING" || this.#ending !== undefined || !execution.every("RUNNING"))
      return;
    execution.running = true;
    const closing = this.#closing !== undefined;
    if (!closing) this.status.enter("RUNNING", now);
    this.#restarts.running(this.#context.platform.clock.monotonic());
    this.#logger.info("all tasks running", { attempt: this.#attempt });
    const ref = this.#ref();
    await this.#afterCheckpoint(this.checkpointing.attemptRunning({ execution, ref, closing }));
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
      this.#closing === undefined
    )
      this.checkpointing.requestFinal();
  }

  #checkpointRequest({ done, full }: Extract<JobEvent, { kind: "checkpoint-request" }>): void {
    const { state } = this.status;
    if (state === "RUNNING") return this.checkpointing.request(done, full);
    const { jobId } = this.#submission;
    done({ error: fail("JOB_NOT_RUNNING", { fields: { jobId, state } }) });
  }

  /** Acts on what the checkpointing says has become of the job. */
  async #afterCheckpoint(step: ReturnType<Checkpointing["tick"]>): Promise<void> {
    const outcome = await step;
    if (this.#ending !== undefined) return;
    if (outcome.kind === "fail") await this.fail(outcome.error);
    else if (outcome.kind === "done")
      await this.#stop(this.#closing === undefined ? "finished" : "closed");
  }

  async #commitFinished(message: Up<"commitFinished">): Promise<void> {
    if (message.error === "")
      return await this.#afterCheckpoint(this.checkpointing.commitFinished(message));
    if (this.#ending !== undefined) return;
    const cause = parseError(message.error);
    await this.fail(
      cause.retry === "never" ? cause : { ...errorInfo(fail("JOB_COMMIT_FAILED")), cause },
    );
  }

  // ── failures and the end ───────────────────────────────────────────────────────────────────

  /** The attempt has failed; the restart strategy says whether another follows. */
  async fail(error: ErrorInfo, task?: TaskStatus): Promise<void> {
    if (isTerminal(this.status.state)) return;
    const now = this.#context.platform.clock.now();
    const at = task === undefined ? undefined : `${task.vertex}#${task.subtask}`;
    const vertex = this.#submission.graph.vertices.find(({ id }) => id === task?.vertex);
    const place = task === undefined ? undefined : this.#execution?.endpointOf(task.slot);
    this.exceptions.add({
      at: now,
      // Without an execution it is the next one that could not begin.
      attempt: this.#execution === undefined ? this.#attempt + 1 : this.#attempt,
      error,
      ...(task === undefined || at === undefined
        ? {}
        : { task: at, taskManager: task.slot.taskManager }),
      ...(vertex === undefined ? {} : { taskName: vertex.name }),
      ...(place === undefined ? {} : { endpoint: `${place.host}:${place.port}` }),
    });
    if (this.#ending !== undefined || this.#cancelDelay !== undefined) return;
    if (this.#closing !== "FAILED") this.#rootCause = error;
    const { code, message } = error;
    this.#logger.warn("attempt failed", { attempt: this.#attempt, code, error: message, task: at });
    const restart =
      error.retry === "never"
        ? "no"
        : this.#restarts.failed(this.#context.platform.clock.monotonic());
    this.restartDelayMs = restart === "no" ? 0 : restart.delayMs;
    if (!this.#cancelRequested) this.status.enter("FAILING", now);
    await this.#stop(restart === "no" ? "failed" : "restart");
  }

  /** What is to be committed is committed by the attempt of committers that follows. */
  async #cancel(): Promise<void> {
    if (this.#cancelRequested) return;
    this.#cancelRequested = true;
    this.status.enter("CANCELLING", this.#context.platform.clock.now());
    if (this.#ending === "restart") this.#ending = "canceled";
    else if (this.#ending === undefined && this.#closing === undefined) {
      if (this.#execution === undefined) await this.#conclude("canceled");
      else await this.#stop("canceled");
    }
  }

  /** Ends the runners of this attempt; `#allRunnersGone` goes on from there. */
  async #stop(why: Ending): Promise<void> {
    this.#ending = why;
    this.checkpointing.attemptEnded();
    const execution = this.#execution;
    if (execution === undefined || execution.runners.size === 0)
      return await this.#allRunnersGone();
    const { stopGraceMs: graceMs } = this.#context.options;
    const reason = why === "closed" ? "finished" : why;
    stopRunners(this.#context.taskManagers, execution, { attempt: this.#ref(), reason, graceMs });
    this.#after(graceMs * 2 + 1_000, { kind: "stop-timeout", attempt: this.#attempt });
  }

  async #runnerExited(taskManager: string, message: Up<"runnerExited">): Promise<void> {
    this.#older.ended(taskManager, this.#ref());
    if (this.#execution?.runners.has(taskManager) !== true)
      return await this.#afterCheckpoint(this.checkpointing.tick());
    this.#runnerGone(taskManager, "seen");
    if (this.#ending === undefined) {
      const cause = message.error === "" ? undefined : parseError(message.error);
      const { exitCode, signal } = message;
      const lost = errorInfo(
        fail("JOB_RUNNER_LOST", { fields: { taskManager, exitCode, signal } }),
      );
      await this.fail({ ...lost, ...(cause === undefined ? {} : { cause }) });
    } else if (this.#execution.runners.size === 0) await this.#allRunnersGone();
  }

  async #taskManagerLost(taskManager: string): Promise<void> {
    if (this.#execution?.runners.has(taskManager) !== true) return;
    const slots = this.#execution.plan.slots.filter((slot) => slot.taskManager === taskManager);
    // It was lost before this attempt began, and had come back.
    if (this.#context.taskManagers.holds(slots, this.#owner())) return;
    this.#runnerGone(taskManager, "unseen");
    if (this.#ending === undefined)
      await this.fail(errorInfo(fail("JOB_TASK_MANAGER_LOST", { fields: { taskManager } })));
    else if (this.#execution.runners.size === 0) await this.#allRunnersGone();
  }

  #runnerGone(taskManager: string, end: "seen" | "unseen"): void {
    this.#execution?.runners.delete(taskManager);
    if (end === "unseen")
      this.#older.lost(taskManager, this.#ref(), this.#context.platform.clock.monotonic());
    this.#context.taskManagers.keep(taskManager, this.#owner(), this.#submission.jobId);
  }

  async #allRunnersGone(): Promise<void> {
    const why = this.#ending;
    if (why === undefined) return;
    const now = this.#context.platform.clock.now();
    const well = why === "finished" || why === "closed";
    this.#execution?.moveAll(well ? "FINISHED" : "CANCELED", now);
    await this.#conclude(why);
  }
  async #conclude(ending: Ending): Promise<void> {
    const decision = decideEnd({
      ending,
      closing: this.#closing,
      hasCommitters: this.checkpointing.hasCommitters,
      hasRun: this.#attempt > 0,
      nothingToCommit: this.checkpointing.nothingToCommit,
    });
    if (decision.kind === "finish") return await this.#finish(decision.end);
    if (decision.kind === "close") {
      this.#closing = decision.end;
      this.#restarts = createRestartStrategy(commitRestarts, this.#context.platform.random);
      this.restartDelayMs = 0;
    } else {
      this.restartCount += 1;
      if (this.#closing === undefined)
        this.status.enter("RESTARTING", this.#context.platform.clock.now());
    }
    // Another attempt, after the delay.
    this.#ending = undefined;
    this.#execution = undefined;
    this.#cancelDelay?.();
    this.#deployAt = this.#context.platform.clock.monotonic() + this.restartDelayMs;
    this.#cancelDelay = this.#timers.after(Math.max(0, this.restartDelayMs - runnerLeadMs), () => {
      this.#cancelDelay = undefined;
      this.#post({ kind: "schedule" });
    });
  }

  async #finish(state: End): Promise<void> {
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
    this.#slots.cancel();
    this.#context.taskManagers.release(this.#submission.jobId);
    this.#logger.info("job ended", { state });
    await this.checkpointing.afterTerminal(state);
    this.#context.onSlotsReleased();
  }

  #after(delayMs: number, event: JobEvent): void {
    this.#timers.after(delayMs, () => this.#post(event));
  }
  #ref() {
    return { jobId: this.#submission.jobId, epoch: this.#context.epoch, attempt: this.#attempt };
  }
  #owner(attempt = this.#attempt): string {
    return `${this.#submission.jobId} ${this.#context.epoch}.${attempt}`;
  }
}
