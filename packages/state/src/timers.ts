/**
 * Timers of one operator: rows of two hidden tables, so they are snapshot, restored and rescaled with their keys, and a heap per
 * domain that knows which is next.
 *
 * TIM-1  At most one timer per (key, namespace, time, domain).
 * TIM-2  They fire in time order, equal times in the order of registration; one registered while firing, and due, fires in the same advance.
 * TIM-3  A timer's row is removed before its callback runs, with its key selected.
 */
import type { StateTable, TimerCallback, TimerDomain, TimerService } from "@millrace/spi";
import { TimerHeap } from "./timer-heap.ts";

/** What timers need of the backend they live in. */
export interface TimerHome {
  /** Id of the selected key. */
  readonly selectedId: number;
  selectId(id: number): void;
  /** False when no key has this id now. */
  knows(id: number): boolean;
  now(): number;
}

export const timerTables = {
  "event-time": "timers:event",
  "processing-time": "timers:processing",
} as const;

export class Timers implements TimerService {
  currentWatermark: number;
  readonly #home: TimerHome;
  readonly #tables: Readonly<Record<TimerDomain, StateTable<boolean>>>;
  readonly #heaps: Readonly<Record<TimerDomain, TimerHeap>> = {
    "event-time": new TimerHeap(),
    "processing-time": new TimerHeap(),
  };
  readonly #onTimer: TimerCallback;
  fired = 0;

  constructor(options: {
    readonly home: TimerHome;
    readonly tables: Readonly<Record<TimerDomain, StateTable<boolean>>>;
    readonly onTimer: TimerCallback;
    readonly watermark: number;
  }) {
    this.#home = options.home;
    this.#tables = options.tables;
    this.#onTimer = options.onTimer;
    this.currentWatermark = options.watermark;
  }
  currentProcessingTime(): number {
    return this.#home.now();
  }
  registerEventTime(time: number, a: number, b: number): void {
    this.#register("event-time", time, a, b);
  }
  deleteEventTime(time: number, a: number, b: number): void {
    this.#tables["event-time"].delete(a, b, time);
  }
  registerProcessingTime(time: number, a: number, b: number): void {
    this.#register("processing-time", time, a, b);
  }
  deleteProcessingTime(time: number, a: number, b: number): void {
    this.#tables["processing-time"].delete(a, b, time);
  }
  advanceWatermark(watermark: number, stop: () => boolean): boolean {
    this.currentWatermark = Math.max(this.currentWatermark, watermark);
    return this.#advance("event-time", watermark, stop);
  }
  advanceProcessingTime(now: number, stop: () => boolean): boolean {
    return this.#advance("processing-time", now, stop);
  }
  nextProcessingTime(): number | undefined {
    const heap = this.#heaps["processing-time"];
    return heap.size === 0 ? undefined : heap.time;
  }
  /** A timer that a checkpoint held. */
  restored(
    domain: TimerDomain,
    keyId: number,
    time: number,
    namespace: readonly [number, number],
  ): void {
    this.#heaps[domain].push(keyId, time, namespace[0], namespace[1]);
  }

  #register(domain: TimerDomain, time: number, a: number, b: number): void {
    const table = this.#tables[domain];
    if (table.get(a, b, time) !== undefined) return;
    table.put(a, b, time, true);
    this.#heaps[domain].push(this.#home.selectedId, time, a, b);
  }

  #advance(domain: TimerDomain, until: number, stop: () => boolean): boolean {
    const heap = this.#heaps[domain];
    const table = this.#tables[domain];
    while (heap.size > 0 && heap.time <= until) {
      if (stop()) return false;
      const { key, time, a, b } = heap;
      heap.pop();
      // Deleted meanwhile, or registered, deleted and registered again: the row decides, and it fires once. Its key's id may even
      // have been given to another key by now, whose timer it then is, or which has none.
      if (!this.#home.knows(key)) continue;
      this.#home.selectId(key);
      if (table.get(a, b, time) === undefined) continue;
      table.delete(a, b, time);
      this.fired += 1;
      this.#onTimer(time, a, b, domain);
    }
    return true;
  }
}
