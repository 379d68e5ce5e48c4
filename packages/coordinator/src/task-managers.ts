/**
 * The TaskManagers that are connected: their slots, their sessions, their heartbeats.
 *
 * TMR-1  A new session of a TaskManager replaces its older one; a message of a replaced session is ignored.
 * TMR-2  A slot belongs to at most one (job, attempt) until its runner has ended or its TaskManager is gone.
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
  /** Slot → "<job> <epoch>.<attempt>". */
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
  free(): readonly SlotRef[] {
    const free: SlotRef[] = [];
    for (const entry of this.#entries.values()) {
      for (let slot = 0; slot < entry.slots; slot++)
        if (!entry.taken.has(slot)) free.push({ taskManager: entry.id, slot });
    }
    return free;
  }
  take(slots: readonly SlotRef[], owner: string): void {
    for (const { taskManager, slot } of slots)
      this.#entries.get(taskManager)?.taken.set(slot, owner);
  }
  /** Frees the slots that `owner` holds on one TaskManager. */
  release(taskManager: string, owner: string): void {
    const entry = this.#entries.get(taskManager);
    if (entry === undefined) return;
    for (const [slot, holder] of entry.taken) if (holder === owner) entry.taken.delete(slot);
  }
  send<C extends DownMessage["$case"]>(taskManager: string, $case: C, value: Down<C>): void {
    this.#entries.get(taskManager)?.session.send({ $case, value } as DownMessage);
  }
}
