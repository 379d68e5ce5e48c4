/**
 * A job's checkpoints as the JobManager drives them: trigger, collect, publish, permit, commit, clean up. Decisions are
 * `@millrace/checkpoint`'s; this shell keeps the timers and sends the messages.
 *
 * CHK-1  At most one checkpoint is in progress; its base is the newest one whose entry is in the log.
 * CHK-2  Order of effects: manifest → log entry → completed to the tasks → permit → commit → *committed* entry → garbage.
 * CHK-3  A number given up is never used again in its attempt.
 * CHK-4  The final checkpoint is asked for once, when every subtask has reached its end of data; the job has ended when it is committed.
 */
import { type Cancel, type ErrorInfo, errorInfo, type Logger, type Platform } from "@millrace/base";
import {
  decideTrigger,
  decodeManifest,
  encodeManifest,
  type JobLog,
  type Manifest,
  manifestName,
  obtainPermit,
  PendingCheckpoint,
  planRestore,
  type RestoreAssignment,
  type SubtaskSnapshot,
  sha256,
} from "@millrace/checkpoint";
import type { AttemptMessage, Up } from "@millrace/protocol";
import type { BlobStore } from "@millrace/spi";
import { CheckpointHistory, type CheckpointRecord } from "./checkpoint-history.ts";
import type { Execution } from "./execution.ts";
import { fail } from "./fail.ts";
import { collectGarbage } from "./garbage.ts";
import type { Submission } from "./submission.ts";
import type { TaskManagers } from "./task-managers.ts";

export type CheckpointOutcome =
  | { readonly kind: "none" }
  | { readonly kind: "final-committed" }
  | { readonly kind: "fail"; readonly error: ErrorInfo };
const none: CheckpointOutcome = { kind: "none" };

export interface CheckpointingContext {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly store: BlobStore;
  readonly log: JobLog;
  readonly submission: Submission;
  readonly epoch: number;
  readonly taskManagers: TaskManagers;
  /** `tick` should be called. */
  readonly onTick: () => void;
}

type Requester = (result: { readonly checkpointId: number } | { readonly error: unknown }) => void;

interface Running {
  readonly execution: Execution;
  readonly ref: AttemptMessage;
  /** Number of the newest checkpoint that this attempt restored or completed. */
  base: number | undefined;
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
  /** Committers still to answer for the permit that is out. */
  commit: { readonly checkpointId: number; readonly waiting: Set<string> } | undefined;
  manifest: Manifest | undefined;
}

export class Checkpointing {
  readonly history = new CheckpointHistory();
  readonly #context: CheckpointingContext;
  readonly #committers: readonly string[];
  #running: Running | undefined;
  #restored: Manifest | undefined;
  #restoredName = "";
  #requesters: Requester[] = [];
  #timer: Cancel | undefined;
  #paused = false;

  constructor(context: CheckpointingContext) {
    this.#context = context;
    this.#committers = context.submission.graph.vertices
      .filter((vertex) => vertex.role === "committer")
      .map((vertex) => vertex.id);
  }

  /** True when every completed checkpoint's committables are committed. */
  get nothingToCommit(): boolean {
    const { newestCheckpoint, committedFloor } = this.#context.log.summary;
    return (
      this.#committers.length === 0 ||
      newestCheckpoint === null ||
      newestCheckpoint.checkpointId <= committedFloor
    );
  }

  /** What each subtask of a new attempt restores, from the newest checkpoint of the log. Rejects when it can't be read or does not fit. */
  async restore(): Promise<Readonly<Record<string, RestoreAssignment>>> {
    const newest = this.#context.log.summary.newestCheckpoint;
    this.#restored = undefined;
    if (newest === null) return {};
    this.#restoredName = newest.manifest;
    const bytes = await this.#context.store.get(newest.manifest);
    this.#restored = decodeManifest(bytes, newest);
    return planRestore(this.#restored, this.#context.submission.graph);
  }

  /** All tasks of an attempt run: finish older commits, begin to trigger. */
  async attemptRunning(execution: Execution, ref: AttemptMessage): Promise<CheckpointOutcome> {
    const now = this.#context.platform.clock.monotonic();
    const base = this.#restored?.checkpointId;
    this.#running = {
      execution,
      ref,
      base,
      nextId: (base ?? 0) + 1,
      pending: undefined,
      lastEndedAt: now,
      lastTriggeredAt: now,
      failures: 0,
      finalRequested: false,
      finalId: undefined,
      commit: undefined,
      manifest: this.#restored,
    };
    if (base !== undefined) {
      this.history.restored = {
        id: base,
        at: this.#context.platform.clock.now(),
        manifest: this.#restoredName,
      };
      this.history.counts.restored += 1;
    }
    // Even with nothing left to commit the sweep is due: older attempts may have left transactions open.
    if (base !== undefined) await this.#commit(this.#running, base);
    this.#arm();
    return none;
  }

  attemptEnded(_why: string): void {
    const running = this.#running;
    this.#running = undefined;
    this.#timer?.();
    this.#timer = undefined;
    if (running?.pending !== undefined)
      this.history.failed(
        running.pending.record,
        this.#context.platform.clock.now(),
        "the attempt ended",
      );
    this.#answer({
      error: fail("JOB_NOT_RUNNING", { fields: { jobId: this.#context.submission.jobId } }),
    });
  }

  request(done: Requester): void {
    this.#requesters.push(done);
    this.#context.onTick();
  }
  requestFinal(): void {
    if (this.#running === undefined || this.#running.finalRequested) return;
    this.#running.finalRequested = true;
    this.#context.onTick();
  }
  /** No new checkpoint begins; one in progress is given up unless it is final. */
  pauseTriggers(): void {
    this.#paused = true;
  }
  stop(): void {
    this.attemptEnded("stopped");
  }

  /** Time has passed or something was asked for. */
  async tick(): Promise<CheckpointOutcome> {
    const running = this.#running;
    if (running === undefined) return none;
    const now = this.#context.platform.clock.monotonic();
    if (running.pending !== undefined && now >= running.pending.deadline) {
      const outcome = this.#giveUp(running, "expired before completing");
      if (outcome.kind !== "none") return outcome;
    }
    const decision = decideTrigger({
      options: this.#context.submission.graph.options.checkpoint,
      now,
      lastTriggeredAt: running.lastTriggeredAt,
      lastEndedAt: running.lastEndedAt,
      pending: running.pending !== undefined,
      requested: this.#requesters.length > 0,
      finalRequested: running.finalRequested && running.finalId === undefined,
      paused: this.#noMoreTriggers(running),
    });
    if (decision.kind === "trigger") this.#trigger(running, decision.checkpointKind);
    this.#arm();
    return none;
  }

  async acknowledged(message: Up<"checkpointAcknowledged">): Promise<CheckpointOutcome> {
    const running = this.#running;
    if (running?.pending?.checkpoint.checkpointId !== message.checkpointId) return none;
    const { checkpoint, record } = running.pending;
    const snapshot = JSON.parse(message.snapshot) as SubtaskSnapshot;
    checkpoint.acknowledge(snapshot);
    record.acknowledged = checkpoint.acknowledged;
    record.stateBytes += snapshot.fullBytes;
    record.newBytes += snapshot.newBytes;
    const { vertex, subtask, fullBytes, newBytes, timings } = snapshot;
    const at = this.#context.platform.clock.now();
    record.acks.push({ vertex, subtask, at, fullBytes, newBytes, timings });
    record.alignmentMs = Math.max(record.alignmentMs, snapshot.timings.alignmentMs);
    record.syncMs = Math.max(record.syncMs, snapshot.timings.syncMs);
    record.asyncMs = Math.max(record.asyncMs, snapshot.timings.asyncMs);
    return checkpoint.complete ? await this.#publish(running) : none;
  }

  async declined(message: Up<"checkpointDeclined">): Promise<CheckpointOutcome> {
    const running = this.#running;
    if (running?.pending?.checkpoint.checkpointId !== message.checkpointId) return none;
    const error = JSON.parse(message.error) as ErrorInfo;
    const outcome = this.#giveUp(
      running,
      `declined by ${message.vertex}#${message.subtask}: ${error.message}`,
    );
    this.#arm();
    return outcome;
  }

  async commitFinished(message: Up<"commitFinished">): Promise<CheckpointOutcome> {
    const running = this.#running;
    if (running?.commit?.checkpointId !== message.checkpointId) return none;
    running.commit.waiting.delete(message.vertex);
    if (running.commit.waiting.size > 0) return none;
    running.commit = undefined;
    return await this.#committed(running, message.checkpointId);
  }

  /**
   * The job has ended: unless its newest checkpoint is retained, nothing of its checkpoints is of use (CP-07). What a crash leaves
   * here is found by `millrace gc`.
   */
  async afterTerminal(state: "FINISHED" | "CANCELED" | "FAILED", attempt: number): Promise<void> {
    const { onCancel } = this.#context.submission.graph.options.checkpoint;
    if (state === "FAILED" || (state === "CANCELED" && onCancel === "retain")) return;
    const closed = {
      epoch: this.#context.epoch,
      attempt,
      newest: Number.MAX_SAFE_INTEGER,
      pending: undefined,
    };
    await collectGarbage(this.#context, [], closed);
  }

  // ── steps ──────────────────────────────────────────────────────────────────────────────────

  #trigger(running: Running, kind: "checkpoint" | "final"): void {
    const checkpointId = running.nextId;
    running.nextId += 1;
    const now = this.#context.platform.clock.monotonic();
    const timestamp = this.#context.platform.clock.now();
    const { graph } = this.#context.submission;
    const checkpoint = new PendingCheckpoint({
      jobId: this.#context.submission.jobId,
      checkpointId,
      epoch: running.ref.epoch,
      attempt: running.ref.attempt,
      base: running.manifest,
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
    running.pending = { checkpoint, record, deadline: now + graph.options.checkpoint.timeoutMs };
    running.lastTriggeredAt = now;
    if (kind === "final") running.finalId = checkpointId;
    for (const taskManager of running.execution.taskManagers()) {
      this.#context.taskManagers.send(taskManager, "triggerCheckpoint", {
        attempt: running.ref,
        checkpointId,
        base: running.base ?? 0,
        timestamp,
        kind,
      });
    }
  }

  async #publish(running: Running): Promise<CheckpointOutcome> {
    const pending = running.pending;
    if (pending === undefined) return none;
    const { checkpointId } = pending.checkpoint;
    let manifest: Manifest;
    const name = manifestName(this.#context.submission.jobId, checkpointId, running.ref);
    try {
      manifest = pending.checkpoint.toManifest();
      const bytes = encodeManifest(manifest);
      await this.#context.store.put(name, bytes);
      // From here on the outcome decides: an append of unknown outcome is repeated until it is known (CKP-1).
      await this.#context.log.append({
        kind: "checkpoint",
        attempt: running.ref.attempt,
        checkpointId,
        manifest: name,
        manifestSha256: sha256(bytes),
        manifestBytes: bytes.length,
      });
    } catch (error) {
      if (errorInfo(error).code === "LEADER_DEPOSED") throw error;
      return this.#giveUp(running, `could not be published: ${errorInfo(error).message}`);
    }
    running.pending = undefined;
    running.base = checkpointId;
    running.manifest = manifest;
    running.failures = 0;
    running.lastEndedAt = this.#context.platform.clock.monotonic();
    pending.record.manifest = name;
    this.history.complete(pending.record, this.#context.platform.clock.now());
    for (const taskManager of running.execution.taskManagers()) {
      this.#context.taskManagers.send(taskManager, "checkpointCompleted", {
        attempt: running.ref,
        checkpointId,
      });
    }
    this.#answer({ checkpointId });
    await this.#commit(running, checkpointId);
    this.#arm();
    if (this.#committers.length > 0) return none;
    return await this.#committed(running, checkpointId);
  }

  /** Obtains the permit and gives it to the committers; a commit still out is superseded, its committables are in this one too. */
  async #commit(running: Running, checkpointId: number): Promise<void> {
    if (this.#committers.length === 0) return;
    await obtainPermit(this.#context.log, checkpointId);
    running.commit = { checkpointId, waiting: new Set(this.#committers) };
    for (const taskManager of running.execution.taskManagers()) {
      this.#context.taskManagers.send(taskManager, "commit", {
        attempt: running.ref,
        checkpointId,
        sweep: true,
      });
    }
  }

  async #committed(running: Running, checkpointId: number): Promise<CheckpointOutcome> {
    if (this.#committers.length > 0 && checkpointId > this.#context.log.summary.committedFloor) {
      await this.#context.log.append({
        kind: "committed",
        attempt: running.ref.attempt,
        checkpointId,
      });
    }
    const record = this.history.find(checkpointId);
    if (record !== undefined) record.committed = true;
    const { manifest, ref } = running;
    if (manifest !== undefined)
      await collectGarbage(this.#context, [manifest], {
        ...ref,
        newest: manifest.checkpointId,
        pending: undefined,
      });
    return checkpointId === running.finalId ? { kind: "final-committed" } : none;
  }

  #giveUp(running: Running, reason: string): CheckpointOutcome {
    const pending = running.pending;
    if (pending === undefined) return none;
    const { checkpointId, kind } = pending.checkpoint;
    running.pending = undefined;
    running.lastEndedAt = this.#context.platform.clock.monotonic();
    running.failures += 1;
    if (kind === "final") running.finalId = undefined;
    this.history.failed(pending.record, this.#context.platform.clock.now(), reason);
    this.#context.logger.warn("checkpoint failed", { checkpointId, reason });
    for (const taskManager of running.execution.taskManagers()) {
      this.#context.taskManagers.send(taskManager, "checkpointAborted", {
        attempt: running.ref,
        checkpointId,
        reason,
      });
    }
    this.#answer({ error: fail("JOB_CHECKPOINT_FAILURES", { fields: { checkpointId, reason } }) });
    if (running.failures <= this.#context.submission.graph.options.checkpoint.tolerableFailures)
      return none;
    return {
      kind: "fail",
      error: errorInfo(fail("JOB_CHECKPOINT_FAILURES", { fields: { checkpointId, reason } })),
    };
  }

  /** After the final one nothing is left to cover, and a newer one would supersede the commit that ends the job. */
  #noMoreTriggers(running: Running): boolean {
    return this.#paused || running.finalId !== undefined;
  }
  #answer(result: { readonly checkpointId: number } | { readonly error: unknown }): void {
    const requesters = this.#requesters;
    this.#requesters = [];
    for (const done of requesters) done(result);
  }

  /** Wakes at the next moment at which `tick` could have something to do. */
  #arm(): void {
    this.#timer?.();
    this.#timer = undefined;
    const running = this.#running;
    if (running === undefined) return;
    // Nothing begins by itself any more: only an answer goes on.
    if (running.pending === undefined && this.#noMoreTriggers(running)) return;
    const { intervalMs, minPauseMs } = this.#context.submission.graph.options.checkpoint;
    const now = this.#context.platform.clock.monotonic();
    const due =
      running.pending?.deadline ??
      Math.max(running.lastTriggeredAt + intervalMs, running.lastEndedAt + minPauseMs);
    this.#timer = this.#context.platform.timers.after(Math.max(0, due - now), () =>
      this.#context.onTick(),
    );
  }
}
