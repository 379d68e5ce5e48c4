/**
 * What a TaskManager thinks of a runner from its answers to pings: whether it is alive, and how much memory it holds. Pure.
 *
 * RWT-1  Silence counts in beats of this process, from the runner's first answer on: time in which this process stood still itself is
 *        one beat, however long. User code runs in worker threads, so the thread that answers is always free.
 * RWT-2  Memory counts when two answers in a row are above the limit: what is garbage a moment later ends nobody.
 */
import { fail } from "./fail.ts";

/** Reserved from a limit for what is no heap: buffers, native memory, the process itself. */
const heapShare = 0.75;
/** Of the machine's or the container's memory, for all runners together. */
const runnersShare = 0.8;

export interface RunnerLimits {
  /** How long a runner may be silent, ms; 0: for ever, as under a debugger. */
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly memoryBytes: number;
}

export class RunnerWatch {
  readonly #limits: RunnerLimits;
  #answered = false;
  #silentBeats = 0;
  #above = 0;

  constructor(limits: RunnerLimits) {
    this.#limits = limits;
  }
  /** Every `intervalMs`, before the next ping. An error: the runner must end. */
  beat(): Error | undefined {
    const { timeoutMs, intervalMs } = this.#limits;
    if (!this.#answered || timeoutMs === 0) return undefined;
    this.#silentBeats += 1;
    return this.#silentBeats > Math.ceil(timeoutMs / intervalMs)
      ? fail("RUNNER_FROZEN", { fields: { silentMs: timeoutMs } })
      : undefined;
  }
  /** An answer. An error: the runner must end. */
  heard(rssBytes: number): Error | undefined {
    const { memoryBytes } = this.#limits;
    this.#answered = true;
    this.#silentBeats = 0;
    this.#above = rssBytes > memoryBytes ? this.#above + 1 : 0;
    return this.#above >= 2
      ? fail("RUNNER_MEMORY", { fields: { rssBytes, limitBytes: memoryBytes } })
      : undefined;
  }
}

/** What a runner may hold: what it was given, or its slots' part of the memory that there is. */
export function runnerMemoryBytes(options: {
  readonly given: number | undefined;
  readonly availableBytes: number;
  readonly slots: number;
  readonly allSlots: number;
}): number {
  const { given, availableBytes, slots, allSlots } = options;
  return given ?? Math.floor((availableBytes * runnersShare * slots) / Math.max(slots, allSlots));
}

/** The heap of each of a runner's worker threads, MB. */
export function workerHeapMb(memoryBytes: number, workers: number): number {
  return Math.max(16, Math.floor((memoryBytes * heapShare) / workers / (1024 * 1024)));
}
