/**
 * The TaskManagers that are connected: their slots, their sessions, their heartbeats.
 *
 * TMR-1  A new session of a TaskManager replaces its older one; a message of a replaced session is ignored.
 * TMR-2  A slot belongs to at most one (job, attempt) until its runner has ended or its TaskManager is gone. Then its job keeps it, so
 *        that a restart finds it free: until it takes what it needs, or gives back what does not suffice.
 * TMR-3  A closed stream counts at once; a silent one after the heartbeat timeout.
 */
import type { Clock } from "@millrace/base";
import type { Down, DownMessage, Up } from "@millrace/protocol";
import type { SlotRef } from "./slots.ts";

/** The down side of a TaskManager's stream. `send` never throws: a broken stream is reported by its end. */
export interface TaskManagerSession {
  send(message: DownMessage): void;
  close(): void;
}

export interface TaskManagerEntry {
  readonly id: string;
  readonly slots: number;
  readonly host: string;
  readonly pid: number;
  readonly metricsAddress: string;
  readonly cpuCores: number;
  readonly physicalMemoryBytes: number;
  readonly registeredAt: number;
  readonly session: TaskManagerSession;
  lastHeartbeatAt: number;
  rssBytes: number;
  cpuLoad: number;
  /** Slot → "<job> <epoch>.<attempt>", or "<job>" when it is kept for the job's next attempt. */
  readonly taken: Map<number, string>;
}

export class TaskManagers {
  readonly #clock: Clock;
  readonly #entries = new Map<string, TaskManagerEntry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers the entry it replaced, if any: everything that ran on it must be taken for lost unless it is listed as alive. */
  register(
    message: Up<"register">,
    session: TaskManagerSession,
  ): { readonly entry: TaskManagerEntry; readonly replaced: TaskManagerEntry | undefined } {
    const replaced = this.#entries.get(message.taskManagerId);
    const entry: TaskManagerEntry = {
      id: message.taskManagerId,
      slots: message.slots,
      host: message.host,
      pid: message.pid,
      metricsAddress: message.metricsAddress,
      cpuCores: message.cpuCores,
      physicalMemoryBytes: message.physicalMemoryBytes,
      registeredAt: this.#clock.now(),
      session,
      lastHeartbeatAt: this.#clock.monotonic(),
      rssBytes: message.memoryBytes,
      cpuLoad: 0,
      taken: new Map(),
    };
    this.#entries.set(entry.id, entry);
    return { entry, replaced };
  }

  heartbeat(id: string, session: TaskManagerSession, message: Up<"heartbeat">): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.session !== session) return false;
    entry.lastHeartbeatAt = this.#clock.monotonic();
    entry.rssBytes = message.rssBytes;
    entry.cpuLoad = message.cpuLoad;
    return true;
  }

  /** Removes the entry if that session is still its current one. */
  remove(id: string, session: TaskManagerSession): TaskManagerEntry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.session !== session) return undefined;
    this.#entries.delete(id);
    return entry;
  }

  /** Entries that have been silent for longer than `timeoutMs`. */
  silent(timeoutMs: number): readonly TaskManagerEntry[] {
    const now = this.#clock.monotonic();
    return [...this.#entries.values()].filter((entry) => now - entry.lastHeartbeatAt > timeoutMs);
  }

  get(id: string): TaskManagerEntry | undefined {
    return this.#entries.get(id);
  }
  all(): readonly TaskManagerEntry[] {
    return [...this.#entries.values()];
  }
  /** Slots that nobody has; with a job, those kept for it too. */
  free(job?: string): readonly SlotRef[] {
    const free: SlotRef[] = [];
    for (const entry of this.#entries.values()) {
      for (let slot = 0; slot < entry.slots; slot++) {
        const holder = entry.taken.get(slot);
        if (holder === undefined || holder === job) free.push({ taskManager: entry.id, slot });
      }
    }
    return free;
  }
  /** Takes slots of `free(job)` for `owner`, between which and this call nothing may have been awaited. */
  take(slots: readonly SlotRef[], owner: string, job: string): void {
    for (const { taskManager, slot } of slots) {
      const entry = this.#entries.get(taskManager);
      const holder = entry?.taken.get(slot);
      if (entry === undefined || (holder !== undefined && holder !== job))
        throw new RangeError("TMR-2: the slot is taken or gone");
      entry.taken.set(slot, owner);
    }
  }
  /** False when the TaskManager of one of them has gone, or come back as another, since they were taken. */
  holds(slots: readonly SlotRef[], owner: string): boolean {
    return slots.every(
      ({ taskManager, slot }) => this.#entries.get(taskManager)?.taken.get(slot) === owner,
    );
  }
  /** Keeps what `owner` has on one TaskManager for its job's next attempt. */
  keep(taskManager: string, owner: string, job: string): void {
    const taken = this.#entries.get(taskManager)?.taken ?? new Map<number, string>();
    for (const [slot, holder] of taken) if (holder === owner) taken.set(slot, job);
  }
  /** Frees everything that `owner` (an attempt, or a job) holds. True when that was something. */
  release(owner: string): boolean {
    let released = false;
    for (const { taken } of this.#entries.values()) {
      for (const [slot, holder] of taken)
        if (holder === owner) released = taken.delete(slot) || released;
    }
    return released;
  }
  send<C extends DownMessage["$case"]>(taskManager: string, $case: C, value: Down<C>): void {
    this.#entries.get(taskManager)?.session.send({ $case, value } as DownMessage);
  }
}
