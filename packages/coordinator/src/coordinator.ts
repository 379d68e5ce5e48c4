/**
 * The brain of a JobManager: wins an epoch, takes over every job of the store, and connects jobs with TaskManagers.
 *
 * COO-1  It first wins `epochs/<e>`, and only then reads anything else.
 * COO-2  A stream's first message is its registration; anything else before it is ignored.
 * COO-3  Until an epoch is won, streams are turned away. Whatever says that a higher epoch exists ends it, once, through `onEnd`.
 */
import {
  type Cancel,
  errorInfo,
  type JobId,
  type Logger,
  type Platform,
  jobId as toJobId,
} from "@millrace/base";
import { claimJob, isEpochCurrent, winEpoch } from "@millrace/checkpoint";
import type { MetricSample, Up, UpMessage } from "@millrace/protocol";
import type { BlobStore } from "@millrace/spi";
import { fail } from "./fail.ts";
import type { JobUp } from "./job-events.ts";
import { JobMaster } from "./job-master.ts";
import { JobMetrics } from "./job-metrics.ts";
import { isTerminal } from "./job-status.ts";
import type { CoordinatorOptions } from "./options.ts";
import { Requests } from "./requests.ts";
import { type BuildArguments, JobRegistry, type Submission } from "./submission.ts";
import { type TaskManagerSession, TaskManagers } from "./task-managers.ts";

export interface CoordinatorContext {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly store: BlobStore;
  readonly options: CoordinatorOptions;
  /** This coordinator has ended for good: `error` says why. The process should exit. */
  readonly onEnd: (error: unknown) => void;
}

/** One TaskManager's stream, as the shell drives it. */
export interface Connection {
  message(up: UpMessage): void;
  /** The stream has ended, by whichever side. */
  closed(): void;
}

export class Coordinator {
  readonly taskManagers: TaskManagers;
  readonly metrics: JobMetrics;
  readonly #context: CoordinatorContext;
  readonly #registry: JobRegistry;
  readonly #jobs = new Map<string, JobMaster>();
  readonly #requests: Requests;
  #epoch = 0;
  #cancelSweep: Cancel | undefined;
  #cancelLook: Cancel | undefined;
  #ended = false;

  constructor(context: CoordinatorContext) {
    this.#context = context;
    this.taskManagers = new TaskManagers(context.platform.clock);
    this.metrics = new JobMetrics(context.platform.clock, context.options.metricsKeepMs);
    this.#registry = new JobRegistry(context.store);
    this.#requests = new Requests(context.platform);
  }

  get epoch(): number {
    return this.#epoch;
  }
  get jobs(): readonly JobMaster[] {
    return [...this.#jobs.values()];
  }

  /** Wins an epoch and takes over all jobs. Rejects when the store can't be used. */
  async start(): Promise<void> {
    this.#epoch = await winEpoch(this.#context.store, this.#context.platform);
    this.#context.logger.info("epoch won", { epoch: this.#epoch });
    for (const id of await this.#registry.load()) {
      if (!this.#jobs.has(id)) await this.#takeOver(await this.#registry.read(id));
    }
    this.#sweepLater();
    this.#lookForHigherEpoch();
  }

  // ── control plane ──────────────────────────────────────────────────────────────────────────

  connect(session: TaskManagerSession): Connection {
    let id: string | undefined;
    return {
      message: (up) => {
        if (this.#ended) return;
        if (up.$case === "register") {
          id = up.value.taskManagerId;
          this.#register(up.value, session);
        } else if (id !== undefined && this.taskManagers.get(id)?.session === session)
          this.#message(id, session, up);
      },
      closed: () => {
        if (id !== undefined) this.#lost(id, session);
      },
    };
  }

  #register(message: Up<"register">, session: TaskManagerSession): void {
    // No epoch yet: there is nothing to register with. It comes again.
    if (this.#epoch === 0) return session.close();
    if (message.epoch > this.#epoch) {
      this.#end(fail("JOB_LEADER_ENDED", { fields: { epoch: this.#epoch, seen: message.epoch } }));
      return;
    }
    const { replaced } = this.taskManagers.register(message, session);
    const { heartbeatIntervalMs, heartbeatTimeoutMs } = this.#context.options;
    session.send({
      $case: "registered",
      value: { epoch: this.#epoch, heartbeatIntervalMs, heartbeatTimeoutMs },
    });
    if (replaced !== undefined) {
      replaced.session.close();
      // A stream that broke and came back may have lost messages in between: its attempts can't be trusted to be whole.
      for (const job of this.#jobs.values()) job.taskManagerLost(message.taskManagerId);
    }
    // Runners that this epoch did not start, or has given up, must end; StopRunner is harmless to one that is gone.
    for (const runner of message.runners) {
      session.send({
        $case: "stopRunner",
        value: { attempt: runner, reason: "failed", graceMs: 0 },
      });
    }
    this.#slotsChanged();
  }

  #message(
    id: string,
    session: TaskManagerSession,
    up: Exclude<UpMessage, { $case: "register" }>,
  ): void {
    switch (up.$case) {
      case "heartbeat":
        if (this.taskManagers.heartbeat(id, session, up.value)) {
          session.send({
            $case: "heartbeatAnswer",
            value: { sequence: up.value.sequence, epoch: this.#epoch },
          });
        }
        return;
      case "metricsReport":
        if (up.value.attempt !== undefined)
          this.metrics.report(
            up.value.attempt,
            JSON.parse(up.value.samples) as readonly MetricSample[],
          );
        return;
      case "logsAnswer":
        return this.#requests.answer(up.value.requestId, up.value.text);
      case "planAnswer":
        return this.#requests.answer(up.value.requestId, up.value);
      default:
        return this.#jobs.get(up.value.attempt?.jobId ?? "")?.message(id, up as JobUp);
    }
  }

  #lost(id: string, session: TaskManagerSession): void {
    if (this.taskManagers.remove(id, session) === undefined) return;
    this.#context.logger.warn("taskmanager lost", { taskManager: id });
    for (const job of this.#jobs.values()) job.taskManagerLost(id);
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#context.platform.timers.after(
      this.#context.options.heartbeatIntervalMs,
      () => {
        for (const entry of this.taskManagers.silent(this.#context.options.heartbeatTimeoutMs)) {
          entry.session.close();
          this.#lost(entry.id, entry.session);
        }
        if (!this.#ended) this.#sweepLater();
      },
    );
  }

  /** A leader without a job has no log to lose a slot of: it looks by itself, so that TaskManagers do not stay with it for ever. */
  #lookForHigherEpoch(): void {
    this.#cancelLook = this.#context.platform.timers.after(
      this.#context.options.epochCheckIntervalMs,
      () => {
        isEpochCurrent(this.#context.store, this.#epoch).then(
          (current) => {
            if (!current) this.#end(fail("JOB_LEADER_ENDED", { fields: { epoch: this.#epoch } }));
            else if (!this.#ended) this.#lookForHigherEpoch();
          },
          () => {
            if (!this.#ended) this.#lookForHigherEpoch();
          },
        );
      },
    );
  }

  #slotsChanged(): void {
    for (const job of this.#jobs.values()) if (!isTerminal(job.status.state)) job.slotsChanged();
  }

  // ── what clients ask for ───────────────────────────────────────────────────────────────────

  /** Registers and starts a job. Resolves once it can't be lost any more (SUB-1). Rejects `JOB_LEADER_ENDED` when it may not have been seen by the leader. */
  async submit(
    submission: Omit<Submission, "formatVersion" | "jobId" | "submittedAt" | "epoch"> & {
      readonly jobId?: string;
    },
  ): Promise<JobId> {
    this.#assertLeading();
    const jobId = toJobId(submission.jobId ?? this.#context.platform.random.hex(16));
    if (this.#jobs.has(jobId)) return jobId;
    const stored: Submission = {
      ...submission,
      jobId,
      formatVersion: 1,
      submittedAt: this.#context.platform.clock.now(),
      epoch: this.#epoch,
    };
    await this.#registry.add(stored);
    if (!(await isEpochCurrent(this.#context.store, this.#epoch))) {
      const error = fail("JOB_LEADER_ENDED", { fields: { epoch: this.#epoch } });
      this.#end(error);
      throw error;
    }
    await this.#takeOver(stored);
    return jobId;
  }

  job(id: string): JobMaster {
    const job = this.#jobs.get(id);
    if (job === undefined) throw fail("JOB_NOT_FOUND", { fields: { jobId: id } });
    return job;
  }
  cancel(id: string): void {
    const job = this.job(id);
    if (isTerminal(job.status.state))
      throw fail("JOB_ALREADY_TERMINAL", { fields: { jobId: id, state: job.status.state } });
    job.cancel();
  }
  /** The tail of a job's logs on every TaskManager that is connected. */
  async logs(id: string, tailLines: number): Promise<string> {
    this.job(id);
    const parts = await Promise.all(
      this.taskManagers.all().map(async (entry) => {
        const answer = this.#requests.ask<string>((requestId) =>
          entry.session.send({ $case: "logsRequest", value: { requestId, jobId: id, tailLines } }),
        );
        return await answer.catch(() => "");
      }),
    );
    return parts.filter((text) => text !== "").join("\n");
  }
  /** Has any TaskManager build the graph of an uploaded bundle. */
  async plan(bundle: string, build: BuildArguments): Promise<Up<"planAnswer">> {
    const entry = this.taskManagers.all()[0];
    if (entry === undefined)
      throw fail("JOB_NOT_RUNNING", { fields: { reason: "no taskmanager is connected" } });
    return await this.#requests.ask<Up<"planAnswer">>((requestId) =>
      entry.session.send({
        $case: "planRequest",
        value: { requestId, bundle, parameters: JSON.stringify(build) },
      }),
    );
  }

  /** Ends this coordinator in order: jobs go on where they run until a new leader speaks. */
  close(): void {
    this.#ended = true;
    this.#cancelSweep?.();
    this.#cancelLook?.();
    this.#requests.close();
    for (const job of this.#jobs.values()) job.close();
    for (const entry of this.taskManagers.all()) entry.session.close();
  }

  async #takeOver(submission: Submission): Promise<void> {
    const log = await claimJob({
      store: this.#context.store,
      jobId: submission.jobId,
      epoch: this.#epoch,
      since: submission.epoch,
      platform: this.#context.platform,
    });
    // What the claim has replaced is read by nobody any more; what a crash leaves here the next claim trims.
    log.trim().catch((error: unknown) => {
      this.#context.logger.warn("the log could not be trimmed", {
        job: submission.jobId,
        error: errorInfo(error).message,
      });
    });
    const job = new JobMaster(
      {
        platform: this.#context.platform,
        logger: this.#context.logger,
        store: this.#context.store,
        options: this.#context.options,
        epoch: this.#epoch,
        taskManagers: this.taskManagers,
        onFatal: (error) => this.#end(error),
        onSlotsReleased: () => this.#slotsChanged(),
      },
      submission,
      log,
    );
    this.#jobs.set(submission.jobId, job);
    job.start();
  }

  #assertLeading(): void {
    if (this.#ended) throw fail("JOB_LEADER_ENDED", { fields: { epoch: this.#epoch } });
  }
  #end(error: unknown): void {
    if (this.#ended) return;
    this.close();
    this.#context.onEnd(error);
  }
}
