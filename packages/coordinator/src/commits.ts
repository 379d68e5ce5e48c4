/**
 * What the committers of a job's attempt are told: to commit what the newest checkpoint holds, and to sweep up what older attempts left.
 *
 * CMT-1  One permit is out at a time. Once every committer has answered, its checkpoint is recorded as committed; the next permit is
 *        then for the newest checkpoint, which holds the committables of those between.
 * CMT-2  A permit that is not answered in time fails the attempt: commits are idempotent, the next attempt gives them again.
 * CMT-3  Every attempt sweeps when it begins to run, with its restored checkpoint's permit or one for the sweep alone, and after each
 *        completed checkpoint; and once more after every runner of an older attempt is known to have ended (OLD-1, OLD-2).
 * CMT-4  A job is settled when nothing is left to commit and that last sweep is done.
 */
import { type ErrorInfo, errorInfo, type Platform } from "@millrace/base";
import { type JobLog, obtainPermit, obtainSweepPermit } from "@millrace/checkpoint";
import type { AttemptMessage } from "@millrace/protocol";
import type { Permit } from "@millrace/spi";
import type { Execution } from "./execution.ts";
import { fail } from "./fail.ts";
import type { OlderRunners } from "./older-runners.ts";
import type { TaskManagers } from "./task-managers.ts";

export interface CommitsContext {
  readonly platform: Platform;
  readonly log: JobLog;
  readonly taskManagers: TaskManagers;
  readonly older: OlderRunners;
  /** Ids of the committer vertices. */
  readonly committers: readonly string[];
  readonly timeoutMs: number;
}

interface Attempt {
  readonly execution: Execution;
  readonly ref: AttemptMessage;
  out: Out | undefined;
  swept: boolean;
  /** A sweep has been answered that began when no older runner was alive. */
  sweptLast: boolean;
}
interface Out {
  readonly permit: Permit;
  readonly waiting: Set<string>;
  readonly deadline: number;
  readonly last: boolean;
}

export class Commits {
  readonly #context: CommitsContext;
  #attempt: Attempt | undefined;

  constructor(context: CommitsContext) {
    this.#context = context;
  }
  get #now(): number {
    return this.#context.platform.clock.monotonic();
  }

  /** True when every completed checkpoint's committables are committed. */
  get nothingToCommit(): boolean {
    const { newestCheckpoint, committedFloor } = this.#context.log.summary;
    return (
      this.#context.committers.length === 0 ||
      newestCheckpoint === null ||
      newestCheckpoint.checkpointId <= committedFloor
    );
  }
  /** CMT-4. */
  get settled(): boolean {
    if (this.#context.committers.length === 0) return true;
    const { out, sweptLast } = this.#attempt ?? { out: undefined, sweptLast: false };
    return this.nothingToCommit && out === undefined && sweptLast && !this.#olderAlive;
  }
  get #olderAlive(): boolean {
    return this.#context.older.aliveUntil(this.#now) !== undefined;
  }

  begin(execution: Execution, ref: AttemptMessage): void {
    this.#attempt = { execution, ref, out: undefined, swept: false, sweptLast: false };
  }
  end(): void {
    this.#attempt = undefined;
  }

  /** Gives the permit that is due, if none is out. `last`: the job wants to end, the last sweep is due too. */
  async advance(last: boolean): Promise<void> {
    const attempt = this.#attempt;
    const { committers, log } = this.#context;
    if (attempt === undefined || attempt.out !== undefined || committers.length === 0) return;
    const olderAlive = this.#olderAlive;
    if (olderAlive) attempt.sweptLast = false;
    const newest = log.summary.newestCheckpoint;
    if (newest !== null && (!this.nothingToCommit || !attempt.swept))
      this.#give(attempt, await obtainPermit(log, newest.checkpointId), !olderAlive);
    else if (!attempt.swept || (last && !attempt.sweptLast && !olderAlive))
      this.#give(attempt, await obtainSweepPermit(log), !olderAlive);
  }
  #give(attempt: Attempt, permit: Permit, last: boolean): void {
    const { committers, taskManagers, timeoutMs } = this.#context;
    const deadline = this.#now + timeoutMs;
    attempt.out = { permit, waiting: new Set(committers), deadline, last };
    attempt.swept = true;
    const { checkpointId } = permit;
    for (const taskManager of attempt.execution.taskManagers())
      taskManagers.send(taskManager, "commit", {
        attempt: attempt.ref,
        checkpointId,
        sweep: true,
      });
  }

  /** A committer has done what the permit allows. The checkpoint that is committed by it, if that was the last one to answer. */
  async finished(checkpointId: number, vertex: string): Promise<number | undefined> {
    const attempt = this.#attempt;
    const out = attempt?.out;
    if (attempt === undefined || out?.permit.checkpointId !== checkpointId) return undefined;
    out.waiting.delete(vertex);
    if (out.waiting.size > 0) return undefined;
    if (checkpointId > this.#context.log.summary.committedFloor)
      await this.#context.log.append({
        kind: "committed",
        attempt: attempt.ref.attempt,
        checkpointId,
      });
    attempt.out = undefined;
    attempt.sweptLast = out.last;
    return checkpointId;
  }

  /** CMT-2. */
  expired(): ErrorInfo | undefined {
    const out = this.#attempt?.out;
    if (out === undefined || this.#now < out.deadline) return undefined;
    const { checkpointId } = out.permit;
    const fields = { checkpointId, timeoutMs: this.#context.timeoutMs, silent: [...out.waiting] };
    return errorInfo(fail("JOB_COMMIT_FAILED", { fields }));
  }
  /** When something is due by itself. `last` as in `advance`. */
  dueAt(last: boolean): number | undefined {
    const attempt = this.#attempt;
    if (attempt === undefined) return undefined;
    return attempt.out === undefined && last
      ? this.#context.older.aliveUntil(this.#now)
      : attempt.out?.deadline;
  }
}
