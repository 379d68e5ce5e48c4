/**
 * One job's demand for slots: takes them when they are there, and says how long it has been waiting when they are not.
 *
 * SRQ-1  A demand is met whole or not at all.
 * SRQ-2  The wait of one demand is limited: `onTimeout` is called once for each `timeoutMs` without slots.
 */
import type { Cancel, Platform } from "@millrace/base";
import type { JobGraph } from "@millrace/graph";
import { type SlotPlan, slotDemands, tryAssignSlots } from "./slots.ts";
import type { TaskManagers } from "./task-managers.ts";

export interface SlotRequestContext {
  readonly platform: Platform;
  readonly taskManagers: TaskManagers;
  readonly jobId: string;
  readonly timeoutMs: number;
  readonly onTimeout: () => void;
  /** Slots that were kept for this job are free again. */
  readonly onSlotsReleased: () => void;
}

export class SlotRequest {
  readonly #context: SlotRequestContext;
  #needed: number | undefined;
  #timer: Cancel | undefined;

  constructor(context: SlotRequestContext) {
    this.#context = context;
  }

  /** What is waited for; undefined: nothing. */
  get waiting(): { readonly needed: number; readonly free: number } | undefined {
    const { taskManagers, jobId } = this.#context;
    return this.#needed === undefined
      ? undefined
      : { needed: this.#needed, free: taskManagers.free(jobId).length };
  }

  /** Slots for `owner`, taken; undefined: the wait goes on. */
  tryTake(graph: JobGraph, owner: string): SlotPlan | undefined {
    const { taskManagers, jobId, onSlotsReleased } = this.#context;
    const plan = tryAssignSlots(graph, taskManagers.free(jobId));
    if (plan !== undefined) {
      this.cancel();
      taskManagers.take(plan.slots, owner, jobId);
    } else {
      this.#needed = slotDemands(graph).length;
      this.#timer ??= this.#startTimer();
    }
    if (taskManagers.release(jobId)) onSlotsReleased();
    return plan;
  }
  /** Nothing is waited for any more. */
  cancel(): void {
    this.#needed = undefined;
    this.#timer?.();
    this.#timer = undefined;
  }
  #startTimer(): Cancel {
    return this.#context.platform.timers.after(this.#context.timeoutMs, () => {
      this.#timer = this.#startTimer();
      this.#context.onTimeout();
    });
  }
}
