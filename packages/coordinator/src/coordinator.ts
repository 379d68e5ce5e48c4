/**
 * The brain of a JobManager: wins an epoch, takes over every job of the store, and connects jobs with TaskManagers.
 *
 * COO-1  It first wins `epochs/<e>`, and only then reads anything else.
 * COO-2  A stream's first message is its registration; anything else before it is ignored.
 * COO-3  Until an epoch is won, streams are turned away. Whatever says that a higher epoch exists ends it, once, through `onEnd`.
 * COO-4  Until all jobs have been looked at, clients are asked to come again: a job that has not been found yet is not absent.
 * COO-5  A job is taken over once in an epoch: of calls that would, all but the first wait for it.
 */
import {
  type Cancel,
  errorFromInfo,
  errorInfo,
  type JobId,
  type Logger,
  type Platform,
  jobId as toJobId,
} from "@millrace/base";
import { isEpochCurrent, type JobLog, readAhead, retried, winEpoch } from "@millrace/checkpoint";
import type { MetricSample, Up, UpMessage } from "@millrace/protocol";
import type { BlobStore } from "@millrace/spi";
import { EndedJobs } from "./ended-jobs.ts";
import { endedRecordOf, writeEnded } from "./ended-record.ts";
import { fail } from "./fail.ts";
import { inParallel } from "./in-parallel.ts";
import type { JobUp } from "./job-events.ts";
import { type LoadedJob, loadJob } from "./job-loader.ts";
import { JobMaster } from "./job-master.ts";
import { JobMetrics } from "./job-metrics.ts";
import { isTerminal } from "./job-status.ts";
import { endedView, type JobView, unloadableView, unreadableSubmission } from "./job-view.ts";
import type { CoordinatorOptions } from "./options.ts";
import { Requests } from "./requests.ts";
import { assertSame, type BuildArguments, JobRegistry, type Submission } from "./submission.ts";
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
  /** Those of this epoch; when they have ended, until they expire. */
  readonly #jobs = new Map<string, JobMaster>();
  /** Those that had ended before, until they expire, and those that could not be loaded. */
  readonly #still = new Map<string, JobView>();
  readonly #ended: EndedJobs;
  /** Submissions on their way, by job; each ends with its job known or refused (COO-5). */
  readonly #opening = new Map<
    string,
    { readonly bundle: string; readonly done: Promise<unknown> }
  >();
  readonly #requests: Requests;
  #epoch = 0;
  #started = false;
  #cancelSweep: Cancel | undefined;
  #cancelLook: Cancel | undefined;
  #over = false;

  constructor(context: CoordinatorContext) {
    this.#context = context;
    this.taskManagers = new TaskManagers(context.platform.clock);
    this.metrics = new JobMetrics(context.platform.clock, context.options.metricsKeepMs);
    this.#registry = new JobRegistry(context.store, context.platform);
    this.#ended = new EndedJobs({
      capacity: context.options.endedJobsMax,
      keepMs: context.options.endedJobsKeepMs,
    });
    this.#requests = new Requests(context.platform);
  }

  get epoch(): number {
    return this.#epoch;
  }
  /** All that are shown, in the order of their submission. */
  get jobs(): readonly JobView[] {
    const all: JobView[] = [...this.#jobs.values(), ...this.#still.values()];
    return all.sort((a, b) => a.submission.submittedAt - b.submission.submittedAt);
  }
  /** Those that this leader runs or has run. */
  get masters(): readonly JobMaster[] {
    return [...this.#jobs.values()];
  }
  /** Bundles that a job which is shown, or on its way, was submitted with. Undefined while that is not known of all jobs. */
  get bundlesInUse(): ReadonlySet<string> | undefined {
    if (!this.#started || this.#over || this.jobs.some((job) => job.submission.bundle === ""))
      return undefined;
    return new Set([
      ...this.jobs.map((job) => job.submission.bundle),
      ...[...this.#opening.values()].map((opening) => opening.bundle),
    ]);
  }

  /** Asks the store, now. */
  async leads(): Promise<boolean> {
    if (!this.#started || this.#over) return false;
    return await isEpochCurrent(this.#context.store, this.#epoch);
  }

  /** Wins an epoch and takes over all jobs. Rejects when the store can't be used. */
  async start(): Promise<void> {
    this.#epoch = await winEpoch(this.#context.store, this.#context.platform);
    this.#context.logger.info("epoch won", { epoch: this.#epoch });
    const ids = await this.#registry.load();
    const loaded = await inParallel(ids, readAhead, (id) => this.#load(id));
    await this.#show(loaded);
    this.#started = true;
    this.#sweepLater();
    this.#lookForHigherEpoch();
  }

  // ── control plane ──────────────────────────────────────────────────────────────────────────

  connect(session: TaskManagerSession): Connection {
    let id: string | undefined;
    return {
      message: (up) => {
        if (this.#over) return;
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
    for (const job of this.#jobs.values())
      job.taskManagerRegistered(message.taskManagerId, message.runners);
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
      case "metricsReport": {
        const { attempt, samples } = up.value;
        const parsed = JSON.parse(samples) as readonly MetricSample[];
        if (attempt !== undefined && this.#jobs.has(attempt.jobId))
          this.metrics.report(attempt, parsed);
        return;
      }
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
        this.#forgetExpired();
        if (!this.#over) this.#sweepLater();
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
            else if (!this.#over) this.#lookForHigherEpoch();
          },
          () => {
            if (!this.#over) this.#lookForHigherEpoch();
          },
        );
      },
    );
  }

  #slotsChanged(): void {
    for (const job of this.#jobs.values()) if (!isTerminal(job.status.state)) job.slotsChanged();
  }

  // ── what clients ask for ───────────────────────────────────────────────────────────────────

  /**
   * Registers and starts a job. Resolves once it can't be lost any more (SUB-1). Given the same id again, the same job (SUB-4).
   * Rejects `JOB_LEADER_STARTING`, `JOB_ID_TAKEN`, `JOB_BAD_SUBMISSION`; and `JOB_LEADER_ENDED`: whether there is a job then only the
   * next leader knows.
   */
  async submit(
    submission: Omit<Submission, "formatVersion" | "jobId" | "submittedAt" | "epoch"> & {
      readonly jobId?: string;
    },
  ): Promise<JobId> {
    this.#assertLeading();
    const jobId = toJobId(submission.jobId ?? this.#context.platform.random.hex(16));
    for (let other = this.#opening.get(jobId); other !== undefined; ) {
      await other.done.catch(() => {});
      other = this.#opening.get(jobId);
    }
    this.#assertLeading();
    const done = this.#open({
      ...submission,
      jobId,
      formatVersion: 1,
      submittedAt: this.#context.platform.clock.now(),
      epoch: this.#epoch,
    });
    this.#opening.set(jobId, { bundle: submission.bundle, done });
    try {
      await done;
    } finally {
      this.#opening.delete(jobId);
    }
    return jobId;
  }
  async #open(submission: Submission): Promise<void> {
    const { jobId } = submission;
    const known = this.#jobs.get(jobId) ?? this.#still.get(jobId);
    if (known !== undefined) return assertSame(known.submission, submission);
    await this.#registry.add(submission);
    const { store, platform } = this.#context;
    if (!(await retried(platform, () => isEpochCurrent(store, this.#epoch))))
      this.#end(fail("JOB_LEADER_ENDED", { fields: { epoch: this.#epoch } }));
    let loaded: LoadedJob;
    try {
      this.#assertLeading();
      loaded = await this.#load(jobId);
      this.#assertLeading();
    } catch (error) {
      this.#end(error);
      throw fail("JOB_LEADER_ENDED", { fields: { epoch: this.#epoch }, cause: error });
    }
    await this.#show([loaded]);
    if (loaded.kind === "unloadable") throw errorFromInfo(loaded.error);
  }

  /** Rejects `JOB_NOT_FOUND`; its `expired` says that the job has ended, and is not shown any more. */
  job(id: string): JobView {
    const job = this.#jobs.get(id) ?? this.#still.get(id);
    if (job !== undefined) return job;
    if (!this.#started) this.#assertLeading();
    throw fail("JOB_NOT_FOUND", {
      fields: { jobId: id, ...(this.#ended.expired(id) ? { expired: true } : {}) },
    });
  }
  cancel(id: string): void {
    const { state } = this.job(id).status;
    if (isTerminal(state)) throw fail("JOB_ALREADY_TERMINAL", { fields: { jobId: id, state } });
    this.#jobs.get(id)?.cancel();
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
    this.#over = true;
    this.#cancelSweep?.();
    this.#cancelLook?.();
    this.#requests.close();
    for (const job of this.#jobs.values()) job.close();
    for (const entry of this.taskManagers.all()) entry.session.close();
  }

  async #load(jobId: JobId): Promise<LoadedJob> {
    const { store, platform, logger, options } = this.#context;
    const registry = this.#registry;
    const renewEvery = options.logEntriesPerClaim;
    return await loadJob(
      { store, platform, logger, registry, epoch: this.#epoch, renewEvery },
      jobId,
    );
  }
  /** Runs what is to run; of what has ended shows what is young enough, and only of that reads the submission. */
  async #show(loaded: readonly LoadedJob[]): Promise<void> {
    const now = this.#context.platform.clock.now();
    this.#assertNotOver();
    for (const job of loaded) {
      if (job.kind === "live") this.#run(job.submission, job.log);
      else if (job.kind === "unloadable") {
        const submission = job.submission ?? unreadableSubmission(job.jobId, now);
        this.#still.set(job.jobId, unloadableView(submission, job.error, now));
      }
    }
    const records = loaded.flatMap((job) =>
      job.kind === "ended" ? [{ ...job.record, id: job.record.jobId as string }] : [],
    );
    await inParallel(this.#ended.keep(records, now), readAhead, async (record) => {
      const submission = await this.#registry
        .read(record.jobId)
        .catch(() => ({ ...unreadableSubmission(record.jobId, now), jobName: record.jobName }));
      this.#still.set(record.jobId, endedView(submission, record));
    });
  }
  #run(submission: Submission, log: JobLog): void {
    const { platform, logger, store, options } = this.#context;
    const job = new JobMaster(
      {
        platform,
        logger,
        store,
        options,
        epoch: this.#epoch,
        taskManagers: this.taskManagers,
        onFatal: (error) => this.#end(error),
        onSlotsReleased: () => {
          this.#settle(submission, log);
          this.#slotsChanged();
        },
      },
      submission,
      log,
    );
    this.#jobs.set(submission.jobId, job);
    job.start();
  }
  /** A job that has ended, and cleaned up, is marked as such. */
  #settle({ jobId }: Submission, log: JobLog): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined || this.#ended.has(jobId) || !isTerminal(job.status.state)) return;
    const record = endedRecordOf(job.submission, log.summary);
    if (record === undefined) return;
    const { platform, store, logger } = this.#context;
    this.#ended.add(jobId, record.endedAt);
    writeEnded(store, platform, record).catch((error: unknown) => {
      logger.warn("a job's end could not be marked", {
        job: jobId,
        error: errorInfo(error).message,
      });
    });
  }
  #forgetExpired(): void {
    for (const id of this.#ended.expire(this.#context.platform.clock.now())) {
      this.#jobs.get(id)?.close();
      this.#jobs.delete(id);
      this.#still.delete(id);
      this.metrics.forget(id);
    }
  }

  #assertLeading(): void {
    this.#assertNotOver();
    if (!this.#started) throw fail("JOB_LEADER_STARTING", { fields: { epoch: this.#epoch } });
  }
  #assertNotOver(): void {
    if (this.#over) throw fail("JOB_LEADER_ENDED", { fields: { epoch: this.#epoch } });
  }
  #end(error: unknown): void {
    if (this.#over) return;
    this.close();
    this.#context.onEnd(error);
  }
}
