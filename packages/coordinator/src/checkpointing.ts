/**
 * A job's checkpoints as the JobManager drives them: trigger, collect, publish, have committed, clean up. Decisions are
 * `@millrace/checkpoint`'s; this shell keeps the timers and sends the messages. `Commits` has the permits, `RetainedCheckpoints`
 * what is kept.
 *
 * CHK-1  At most one checkpoint is in progress; its base is the newest one whose entry is in the log, or none when a full one was asked for.
 * CHK-2  Order of effects: manifest → log entry → completed to the tasks → permit → commit → *committed* entry → garbage.
 * CHK-3  A number given up is never used again in its attempt.
 * CHK-4  The final checkpoint is asked for once, when every subtask has reached its end of data; the job is done when it is settled.
 * CHK-5  What a subtask says wrongly costs the checkpoint, never more. An append whose fate is not known is not a failure: it ends
 *        the leader, and nothing is said to be aborted.
 * CHK-6  Whoever asks for a checkpoint is answered; no timer ticks while there is nothing to begin and nothing to wait for.
 */
import { type Cancel, type ErrorInfo, errorInfo, type Logger, type Platform } from "@millrace/base";
import {
  decideTrigger,
  decodeSnapshot,
  encodeManifest,
  type JobLog,
  loadLists,
  type Manifest,
  manifestName,
  PendingCheckpoint,
  planRestore,
  type RestoreAssignment,
  sha256,
} from "@millrace/checkpoint";
import type { AttemptMessage, Down, Up } from "@millrace/protocol";
import type { BlobStore } from "@millrace/spi";
import { CheckpointHistory, type CheckpointRecord } from "./checkpoint-history.ts";
import { Commits } from "./commits.ts";
import type { Execution } from "./execution.ts";
import { fail } from "./fail.ts";
import { parseError } from "./job-events.ts";
import type { OlderRunners } from "./older-runners.ts";
import { RetainedCheckpoints } from "./retained.ts";
import type { Submission } from "./submission.ts";
import type { TaskManagers } from "./task-managers.ts";

export type CheckpointOutcome =
  | { readonly kind: "none" }
  /** Nothing is left to do: the final checkpoint, or what was left of an ending job, is committed and swept. */
  | { readonly kind: "done" }
  | { readonly kind: "fail"; readonly error: ErrorInfo };
const none: CheckpointOutcome = { kind: "none" };

export interface CheckpointingContext {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly store: BlobStore;
  readonly log: JobLog;
  readonly submission: Submission;
  readonly taskManagers: TaskManagers;
  readonly older: OlderRunners;
  /** `tick` should be called. */
  readonly onTick: () => void;
}

export type CheckpointAnswer = { readonly checkpointId: number } | { readonly error: unknown };
interface Requester {
  readonly full: boolean;
  readonly done: (answer: CheckpointAnswer) => void;
}

interface Running {
  readonly execution: Execution;
  readonly ref: AttemptMessage;
  /** Only committers run: nothing is triggered, and the attempt is done when they are. */
  readonly closing: boolean;
  nextId: number;
  pending:
    | {
        readonly checkpoint: PendingCheckpoint;
        readonly record: CheckpointRecord;
        readonly deadline: number;
      }
    | undefined;
  lastEndedAt: number;
  lastTriggeredAt: number;
  failures: number;
  finalRequested: boolean;
  finalId: number | undefined;
}

export class Checkpointing {
  readonly history = new CheckpointHistory();
  readonly #context: CheckpointingContext;
  readonly #commits: Commits;
  readonly #retained: RetainedCheckpoints;
  #running: Running | undefined;
  #requesters: Requester[] = [];
  #timer: Cancel | undefined;

  /** Whether the job has sinks that commit. */
  readonly hasCommitters: boolean;

  constructor(context: CheckpointingContext) {
    this.#context = context;
    const committers = context.submission.graph.vertices
      .filter((vertex) => vertex.role === "committer")
      .map((vertex) => vertex.id);
    this.hasCommitters = committers.length > 0;
    this.#commits = new Commits({
      ...context,
      committers,
      timeoutMs: context.submission.graph.options.checkpoint.commitTimeoutMs,
    });
    this.#retained = new RetainedCheckpoints(context);
  }
  get #options() {
    return this.#context.submission.graph.options.checkpoint;
  }
  get #now(): number {
    return this.#context.platform.clock.monotonic();
  }
  get nothingToCommit(): boolean {
    return this.#commits.nothingToCommit;
  }

  /** What each subtask of a new attempt restores, from the newest checkpoint of the log. Rejects when it can't be read or does not fit. */
  async restore(): Promise<Readonly<Record<string, RestoreAssignment>>> {
    const newest = await this.#retained.load();
    if (newest === undefined) return {};
    const { store, submission } = this.#context;
    const whole = await loadLists(newest, (object, from, to) => store.getRange(object, from, to));
    return planRestore(whole, submission.graph);
  }

  /** All tasks of an attempt run: finish older commits, sweep, begin to trigger. */
  async attemptRunning(options: {
    readonly execution: Execution;
    readonly ref: AttemptMessage;
    readonly closing: boolean;
  }): Promise<CheckpointOutcome> {
    const restored = this.#retained.newest;
    const base = restored?.checkpointId;
    this.#running = {
      ...options,
      nextId: (base ?? 0) + 1,
      pending: undefined,
      lastEndedAt: this.#now,
      lastTriggeredAt: this.#now,
      failures: 0,
      finalRequested: false,
      finalId: undefined,
    };
    if (restored !== undefined) {
      this.history.restored = {
        id: restored.checkpointId,
        at: this.#context.platform.clock.now(),
        manifest: manifestName(restored.jobId, restored.checkpointId, restored),
      };
      this.history.counts.restored += 1;
    }
    this.#commits.begin(options.execution, options.ref);
    return await this.#goOn(this.#running);
  }

  attemptEnded(): void {
    const running = this.#running;
    this.#running = undefined;
    this.#commits.end();
    this.#timer?.();
    this.#timer = undefined;
    if (running?.pending !== undefined)
      this.history.failed(
        running.pending.record,
        this.#context.platform.clock.now(),
        "the attempt ended",
      );
    this.#answer({ error: this.#notRunning() });
  }

  /** Asks for a checkpoint; one in progress answers too, unless a full one is wanted. */
  request(done: Requester["done"], full = false): void {
    const running = this.#running;
    const finalDone = running?.finalId !== undefined && running.pending === undefined;
    if (running === undefined || running.closing || finalDone)
      return done({ error: this.#notRunning() });
    this.#requesters.push({ full, done });
    this.#context.onTick();
  }
  requestFinal(): void {
    if (this.#running === undefined || this.#running.finalRequested) return;
    this.#running.finalRequested = true;
    this.#context.onTick();
  }
  /** The job has ended: what its end does not retain is of no use any more (CP-07). */
  async afterTerminal(end: "FINISHED" | "CANCELED" | "FAILED"): Promise<void> {
    this.attemptEnded();
    await this.#retained.collectAll(end);
  }

  /** Time has passed or something was asked for. */
  async tick(): Promise<CheckpointOutcome> {
    const running = this.#running;
    if (running === undefined) return none;
    if (running.pending !== undefined && this.#now >= running.pending.deadline) {
      const outcome = this.#giveUp(running, "expired before completing");
      if (outcome.kind !== "none") return outcome;
    }
    const error = this.#commits.expired();
    if (error !== undefined) return { kind: "fail", error };
    const decision = decideTrigger({
      options: this.#options,
      now: this.#now,
      lastTriggeredAt: running.lastTriggeredAt,
      lastEndedAt: running.lastEndedAt,
      pending: running.pending !== undefined,
      requested: this.#requesters.length > 0,
      finalRequested: running.finalRequested && running.finalId === undefined,
      paused: noMoreTriggers(running),
    });
    if (decision.kind === "trigger") this.#trigger(running, decision.checkpointKind);
    return await this.#goOn(running);
  }

  async acknowledged(message: Up<"checkpointAcknowledged">): Promise<CheckpointOutcome> {
    const running = this.#running;
    if (running?.pending?.checkpoint.checkpointId !== message.checkpointId) return none;
    const { checkpoint, record } = running.pending;
    try {
      const snapshot = decodeSnapshot(message.snapshot);
      if (!checkpoint.acknowledge(snapshot)) return none;
      this.history.acknowledged(record, snapshot, this.#context.platform.clock.now());
    } catch (error) {
      const from = `${message.vertex}#${message.subtask}`;
      return await this.#orGoOn(
        running,
        this.#giveUp(running, `${from} acknowledged wrongly: ${errorInfo(error).message}`),
      );
    }
    return checkpoint.complete ? await this.#publish(running) : none;
  }

  async declined(message: Up<"checkpointDeclined">): Promise<CheckpointOutcome> {
    const running = this.#running;
    if (running?.pending?.checkpoint.checkpointId !== message.checkpointId) return none;
    const from = `${message.vertex}#${message.subtask}`;
    return await this.#orGoOn(
      running,
      this.#giveUp(running, `declined by ${from}: ${parseError(message.error).message}`),
    );
  }

  async commitFinished(message: Up<"commitFinished">): Promise<CheckpointOutcome> {
    const running = this.#running;
    if (running === undefined) return none;
    const committed = await this.#commits.finished(message.checkpointId, message.vertex);
    if (committed === undefined) return none;
    this.history.committed(committed);
    await this.#retained.collect(running.ref);
    return await this.#goOn(running);
  }

  // ── steps ──────────────────────────────────────────────────────────────────────────────────

  #trigger(running: Running, kind: "checkpoint" | "final"): void {
    const checkpointId = running.nextId;
    running.nextId += 1;
    const timestamp = this.#context.platform.clock.now();
    const { graph, jobId } = this.#context.submission;
    const full = this.#requesters.some((requester) => requester.full);
    const base = full ? undefined : this.#retained.newest;
    const checkpoint = new PendingCheckpoint({
      jobId,
      checkpointId,
      epoch: running.ref.epoch,
      attempt: running.ref.attempt,
      base,
      kind,
      triggeredAt: timestamp,
      graph,
    });
    const record = this.history.begin({
      id: checkpointId,
      kind,
      triggeredAt: timestamp,
      expected: running.execution.tasks().length,
    });
    running.pending = { checkpoint, record, deadline: this.#now + this.#options.timeoutMs };
    running.lastTriggeredAt = this.#now;
    if (kind === "final") running.finalId = checkpointId;
    this.#tell(running, "triggerCheckpoint", {
      attempt: running.ref,
      checkpointId,
      base: base?.checkpointId ?? 0,
      timestamp,
      kind,
    });
  }

  async #publish(running: Running): Promise<CheckpointOutcome> {
    const pending = running.pending;
    if (pending === undefined) return none;
    const { checkpointId } = pending.checkpoint;
    const name = manifestName(this.#context.submission.jobId, checkpointId, running.ref);
    let manifest: Manifest;
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      manifest = pending.checkpoint.toManifest();
      bytes = encodeManifest(manifest);
      await this.#context.store.put(name, bytes);
    } catch (error) {
      const reason = `could not be published: ${errorInfo(error).message}`;
      return await this.#orGoOn(running, this.#giveUp(running, reason));
    }
    // From here on the outcome decides: an append of unknown outcome is repeated until it is known, or ends the leader (CKP-1, CHK-5).
    await this.#context.log.append({
      kind: "checkpoint",
      attempt: running.ref.attempt,
      checkpointId,
      manifest: name,
      manifestSha256: sha256(bytes),
      manifestBytes: bytes.length,
    });
    running.pending = undefined;
    running.failures = 0;
    running.lastEndedAt = this.#now;
    this.#retained.add(manifest);
    pending.record.manifest = name;
    this.history.complete(pending.record, this.#context.platform.clock.now());
    this.#tell(running, "checkpointCompleted", { attempt: running.ref, checkpointId });
    this.#answer({ checkpointId }, manifest.base === null);
    if (!this.hasCommitters) {
      this.history.committed(checkpointId);
      await this.#retained.collect(running.ref);
    }
    return await this.#goOn(running);
  }

  #giveUp(running: Running, reason: string): CheckpointOutcome {
    const pending = running.pending;
    if (pending === undefined) return none;
    const { checkpointId, kind } = pending.checkpoint;
    running.pending = undefined;
    running.lastEndedAt = this.#now;
    running.failures += 1;
    if (kind === "final") running.finalId = undefined;
    this.history.failed(pending.record, this.#context.platform.clock.now(), reason);
    this.#context.logger.warn("checkpoint failed", { checkpointId, reason });
    this.#tell(running, "checkpointAborted", { attempt: running.ref, checkpointId, reason });
    const error = fail("JOB_CHECKPOINT_FAILURES", { fields: { checkpointId, reason } });
    this.#answer({ error });
    return running.failures <= this.#options.tolerableFailures
      ? none
      : { kind: "fail", error: errorInfo(error) };
  }

  async #orGoOn(running: Running, outcome: CheckpointOutcome): Promise<CheckpointOutcome> {
    return outcome.kind === "none" ? await this.#goOn(running) : outcome;
  }
  /** After every step: the next permit, the next timer, or the end. */
  async #goOn(running: Running): Promise<CheckpointOutcome> {
    const ending = isEnding(running);
    await this.#commits.advance(ending);
    // The attempt may have been ended meanwhile: then nothing of it is due any more.
    if (this.#running !== running) return none;
    this.#timer?.();
    this.#timer = undefined;
    if (ending && this.#commits.settled) return { kind: "done" };
    this.#arm(running);
    return none;
  }
  /** Wakes at the next moment at which `tick` could have something to do. */
  #arm(running: Running): void {
    const never = Number.POSITIVE_INFINITY;
    const due = Math.min(
      this.#commits.dueAt(isEnding(running)) ?? never,
      running.pending?.deadline ?? (noMoreTriggers(running) ? never : this.#nextTriggerAt(running)),
    );
    // Nothing begins by itself any more: only an answer goes on.
    if (due === never) return;
    this.#timer = this.#context.platform.timers.after(Math.max(0, due - this.#now), () =>
      this.#context.onTick(),
    );
  }

  /** What was asked for while another one was in progress is due at once; a final one that was given up is not hurried. */
  #nextTriggerAt(running: Running): number {
    if (this.#requesters.length > 0 || (running.finalRequested && running.failures === 0))
      return this.#now;
    const { intervalMs, minPauseMs } = this.#options;
    return Math.max(running.lastTriggeredAt + intervalMs, running.lastEndedAt + minPauseMs);
  }

  #tell<C extends "triggerCheckpoint" | "checkpointCompleted" | "checkpointAborted">(
    running: Running,
    $case: C,
    value: Down<C>,
  ): void {
    for (const taskManager of running.execution.taskManagers())
      this.#context.taskManagers.send(taskManager, $case, value);
  }
  /** Answers whoever asked; one who wants a full checkpoint is content with nothing else. */
  #answer(answer: CheckpointAnswer, full = true): void {
    const answered = this.#requesters.filter((requester) => full || !requester.full);
    this.#requesters = this.#requesters.filter((requester) => !answered.includes(requester));
    for (const { done } of answered) done(answer);
  }
  #notRunning(): Error {
    return fail("JOB_NOT_RUNNING", { fields: { jobId: this.#context.submission.jobId } });
  }
}

/** After the final one nothing is left to cover. */
function noMoreTriggers(running: Running): boolean {
  return running.closing || running.finalId !== undefined;
}
/** Only commits and the last sweep are between this attempt and its end. */
function isEnding(running: Running): boolean {
  return running.closing || (running.finalId !== undefined && running.pending === undefined);
}
