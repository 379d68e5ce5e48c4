/**
 * One attempt of a job: where each subtask is and how far it has come.
 *
 * EXE-1  A task's state only moves forward: DEPLOYING → INITIALIZING → RUNNING → (FINISHED | FAILED | CANCELED).
 * EXE-2  Messages about another attempt never reach this object; the caller drops them.
 */
import type { Endpoint, JobGraph } from "@millrace/graph";
import type { SlotPlan, SlotRef } from "./slots.ts";

export type TaskState =
  | "CREATED"
  | "SCHEDULED"
  | "DEPLOYING"
  | "INITIALIZING"
  | "RUNNING"
  | "FINISHED"
  | "CANCELING"
  | "CANCELED"
  | "FAILED";
const rank: Readonly<Record<TaskState, number>> = {
  CREATED: 0,
  SCHEDULED: 1,
  DEPLOYING: 2,
  INITIALIZING: 3,
  RUNNING: 4,
  CANCELING: 5,
  FINISHED: 6,
  CANCELED: 6,
  FAILED: 6,
};

function isState(word: string): word is TaskState {
  return Object.hasOwn(rank, word);
}

export interface TaskStatus {
  readonly vertex: string;
  readonly subtask: number;
  readonly slot: SlotRef;
  state: TaskState;
  endOfData: boolean;
  /** Wall clock per state reached, for REST. */
  readonly since: Partial<Record<TaskState, number>>;
}

export class Execution {
  readonly graph: JobGraph;
  readonly attempt: number;
  readonly plan: SlotPlan;
  readonly startedAt: number;
  readonly #tasks = new Map<string, TaskStatus>();
  readonly #endpoints = new Map<string, Endpoint>();
  /** All tasks have run at once. */
  running = false;
  /** TaskManagers whose runner has been started and has not been reported as ended. */
  readonly runners = new Set<string>();

  constructor(options: { graph: JobGraph; attempt: number; plan: SlotPlan; now: number }) {
    this.graph = options.graph;
    this.attempt = options.attempt;
    this.plan = options.plan;
    this.startedAt = options.now;
    for (const vertex of options.graph.vertices) {
      for (let subtask = 0; subtask < vertex.parallelism; subtask++) {
        const slot = options.plan.bySubtask.get(`${vertex.id}#${subtask}`);
        if (slot === undefined) continue;
        this.#tasks.set(`${vertex.id}#${subtask}`, {
          vertex: vertex.id,
          subtask,
          slot,
          state: "SCHEDULED",
          endOfData: false,
          since: { SCHEDULED: options.now },
        });
      }
    }
    for (const slot of options.plan.slots) this.runners.add(slot.taskManager);
  }

  tasks(): readonly TaskStatus[] {
    return [...this.#tasks.values()];
  }
  task(vertex: string, subtask: number): TaskStatus | undefined {
    return this.#tasks.get(`${vertex}#${subtask}`);
  }
  /** True when the state moved (EXE-1); a word that is no state moves nothing. */
  move(task: TaskStatus, state: string, now: number): boolean {
    if (!isState(state) || rank[state] <= rank[task.state]) return false;
    task.state = state;
    task.since[state] = now;
    return true;
  }
  moveAll(state: TaskState, now: number): void {
    for (const task of this.#tasks.values()) this.move(task, state, now);
  }
  every(state: TaskState): boolean {
    for (const task of this.#tasks.values()) if (task.state !== state) return false;
    return true;
  }
  endOfDataEverywhere(): boolean {
    for (const task of this.#tasks.values()) if (!task.endOfData) return false;
    return true;
  }
  ready(
    taskManager: string,
    slots: readonly { readonly slot: number; readonly host: string; readonly port: number }[],
  ): void {
    for (const { slot, host, port } of slots)
      this.#endpoints.set(`${taskManager} ${slot}`, { taskManager, slot, host, port });
  }
  /** Where the data plane of a slot listens, once its runner is ready. */
  endpointOf({ taskManager, slot }: SlotRef): Endpoint | undefined {
    return this.#endpoints.get(`${taskManager} ${slot}`);
  }
  /** Addresses of all slots, or undefined while a runner is not ready. */
  endpoints(): ((vertex: string, subtask: number) => Endpoint) | undefined {
    for (const slot of this.plan.slots)
      if (!this.#endpoints.has(`${slot.taskManager} ${slot.slot}`)) return undefined;
    return (vertex, subtask) => {
      const slot = this.plan.bySubtask.get(`${vertex}#${subtask}`);
      const endpoint =
        slot === undefined ? undefined : this.#endpoints.get(`${slot.taskManager} ${slot.slot}`);
      if (endpoint === undefined) throw new Error(`no slot for ${vertex}#${subtask}`);
      return endpoint;
    };
  }
  /** Subtasks of each slot, in the order of vertices. */
  bySlot(): ReadonlyMap<string, { readonly slot: SlotRef; readonly tasks: readonly TaskStatus[] }> {
    const slots = new Map<string, { slot: SlotRef; tasks: TaskStatus[] }>();
    for (const task of this.#tasks.values()) {
      const key = `${task.slot.taskManager} ${task.slot.slot}`;
      const entry = slots.get(key) ?? { slot: task.slot, tasks: [] };
      entry.tasks.push(task);
      slots.set(key, entry);
    }
    return slots;
  }
  taskManagers(): readonly string[] {
    return [...new Set(this.plan.slots.map((slot) => slot.taskManager))];
  }
}
