/**
 * A slot: the subtasks that share one event loop, run in short slices.
 *
 * SLT-1  A slice ends after `sliceMs` (and the row, timer or letter that is then at work) or when nothing is left to do; then the loop
 *        is yielded once, so I/O and timers have their turn. The next slice begins with the subtask after the last one.
 * SLT-2  The first failure of a subtask is reported and ends the work of the whole slot: nothing after it may have an effect.
 * SLT-3  Nothing polls: an idle slot has no timer of its own and is woken by frames, credit, mail or a due timer.
 * SLT-4  A job that has ended well stays so: what user code throws while it is closed is logged.
 * SLT-5  A slice is nobody's, whoever's code has woken the slot.
 */
import { errorInfo } from "@millrace/base";
import type { BarrierInfo } from "@millrace/spi";
import type { SlotDeployment, SlotHost } from "./host.ts";
import { Slice } from "./slice.ts";
import { Task } from "./task.ts";

export class Slot {
  readonly #host: SlotHost;
  readonly #slice: Slice;
  #tasks: Task[] = [];
  #scheduled = false;
  #ended = false;
  /** The subtask whose turn is next. */
  #next = 0;
  #stepping: Task | undefined;
  #last: Task | undefined;
  readonly #turn = () => this.#work();
  readonly #run = () => this.#host.attributed(undefined, this.#turn);

  constructor(host: SlotHost) {
    this.#host = host;
    this.#slice = new Slice(host.platform.clock);
  }

  get tasks(): readonly Task[] {
    return this.#tasks;
  }

  /** Creates, restores and opens the subtasks; each reports INITIALIZING, then RUNNING, or FAILED. */
  deploy(deployment: SlotDeployment): void {
    for (const description of deployment.tasks) {
      const id = `${description.vertex.id}#${description.subtask}`;
      const report = { vertex: description.vertex.id, subtask: description.subtask };
      this.#host.report({ kind: "state", ...report, state: "INITIALIZING" });
      try {
        const task = new Task({
          host: this.#host,
          slice: this.#slice,
          deployment: description,
          restore: deployment.restore[id],
          wake: () => this.#wake(),
          onFailure: (error) => this.#fail(task, error),
        });
        this.#tasks.push(task);
        void task.open().then(
          () => {
            if (this.#ended) return;
            this.#host.report({ kind: "state", ...report, state: "RUNNING" });
            this.#wake();
          },
          (error: unknown) => this.#fail(task, error),
        );
      } catch (error) {
        this.#ended = true;
        this.#host.report({ kind: "state", ...report, state: "FAILED", error: errorInfo(error) });
        return;
      }
    }
  }

  /** Starts a checkpoint at the subtasks without inputs. */
  trigger(barrier: BarrierInfo): void {
    if (this.#ended) return;
    for (const task of this.#tasks) task.trigger(barrier);
  }
  checkpointCompleted(checkpointId: number): void {
    if (this.#ended) return;
    for (const task of this.#tasks) task.checkpointCompleted(checkpointId);
  }
  checkpointAborted(checkpointId: number): void {
    if (this.#ended) return;
    for (const task of this.#tasks) task.checkpointAborted(checkpointId);
  }
  commit(checkpointId: number, sweep: boolean): void {
    if (this.#ended) return;
    for (const task of this.#tasks) task.commit(checkpointId, sweep);
  }

  /** Whose user code runs with that stack, as far as it can be told: for what it prints. Costs nothing until it is asked. */
  whereabouts(stack: string): { readonly uid?: string; readonly subtask: number } | undefined {
    for (const task of this.#tasks) {
      const uid = task.operatorAt(stack);
      if (uid !== undefined) return { uid, subtask: task.subtask };
    }
    const stepping = this.#stepping;
    if (stepping === undefined) return undefined;
    const uid = stepping.sourceUid;
    return { subtask: stepping.subtask, ...(uid === undefined ? {} : { uid }) };
  }

  /** The job has ended well: closes every subtask in order. */
  async finish(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    for (const task of this.#tasks) {
      // The job's end is in its log already: what user code says now is told, and changes nothing.
      await task.close().catch((error: unknown) => this.#closeFailed(task, error));
      this.#host.report({
        kind: "state",
        vertex: task.vertexId,
        subtask: task.subtask,
        state: "FINISHED",
      });
    }
  }
  /** Stops at once; user code gets a chance to release what it holds, nobody waits for it. */
  discard(): void {
    this.#ended = true;
    for (const task of this.#tasks) void task.close().catch(() => {});
    this.#tasks = [];
  }

  #closeFailed(task: Task, error: unknown): void {
    this.#host.logger.error("closing a subtask of a finished job failed", {
      vertex: task.vertexId,
      subtask: task.subtask,
      error: task.describe(error),
    });
  }
  #wake(): void {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    this.#host.platform.timers.soon(this.#run);
  }

  #work(): void {
    this.#scheduled = false;
    const slice = this.#slice;
    slice.begin();
    // Subtasks in a row that had nothing to do.
    let resting = 0;
    while (resting < this.#tasks.length && !this.#ended) {
      const task = this.#tasks[this.#next];
      this.#next = (this.#next + 1) % this.#tasks.length;
      if (task !== this.#last) this.#last?.load.leave();
      this.#last = task;
      this.#stepping = task;
      resting = task?.step() === true ? 0 : resting + 1;
      if (slice.ended) break;
    }
    this.#stepping = undefined;
    if (resting < this.#tasks.length) this.#wake();
  }

  #fail(task: Task, error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.report({
      kind: "state",
      vertex: task.vertexId,
      subtask: task.subtask,
      state: "FAILED",
      error: task.describe(error),
    });
  }
}
