/**
 * What is done to an operator under test, and in what order things reach it then.
 *
 * TRM-1  Arrival is permuted between steps that are no elements, across keys only: those of one key keep their order.
 */
import type { ElementStep, Step } from "./operator-group.ts";
import { createRandom } from "./virtual-platform.ts";

export interface Torment {
  readonly name: string;
  /** Events before the output is full. Default: never. */
  readonly capacity?: number;
  /** Neighbouring elements of one input that come as one batch. Default 1. */
  readonly batch?: number;
  /** Parallelism of each life in turn: a restore begins the next. Default: always 1. */
  readonly parallelism?: readonly number[];
  /**
   * When it is stopped and brought back: after each step; a number: also inside steps, at every so many-th place where the runtime could
   * take a barrier; before the end of data, once. Default: never.
   */
  readonly stops?: "steps" | "before the end" | number;
  /** Of the permutation. */
  readonly seed?: number;
  /** Rows come one by one as values, also to an operator that takes batches. */
  readonly values?: true;
}

/** In peace: what all others are compared with. */
export const peace: Torment = { name: "straight", values: true };

const all = Number.POSITIVE_INFINITY;

export const everyone: readonly Torment[] = [
  { name: "one-by-one", capacity: 1 },
  { name: "batches of 2", capacity: 1, batch: 2 },
  { name: "batches of 7", capacity: 3, batch: 7 },
  { name: "whole batches", capacity: 3, batch: all },
  { name: "restored", stops: "steps" },
  { name: "restored one-by-one", capacity: 1, stops: "steps" },
  { name: "restored, batches of 2", capacity: 1, batch: 2, stops: "steps" },
  { name: "restored, batches of 7", batch: 7, stops: "steps" },
];
/** For what has places inside its steps where the runtime could take a barrier. */
export const paused: readonly Torment[] = [
  { name: "every pause", capacity: 1, stops: 1 },
  { name: "every second pause", capacity: 1, stops: 2 },
  { name: "every third pause, batches of 2", capacity: 2, batch: 2, stops: 3 },
];
/** For what can have several subtasks and has state or lists. */
export const rescaled: readonly Torment[] = [
  { name: "rescaled", capacity: 2, parallelism: [1, 2, 3, 1, 2], stops: "steps" },
  { name: "rescaled, batches of 7", capacity: 1, batch: 7, parallelism: [3, 1, 2], stops: "steps" },
];
export const rescaledPaused: Torment = {
  name: "rescaled at every pause",
  capacity: 1,
  parallelism: [2, 3, 1],
  stops: 1,
};
/** For what has lists: they come back to the subtask that stored them. */
export const kept: Torment = { name: "restored at 2", parallelism: [2], stops: "steps" };
/** Against 3 subtasks in peace: what one of them held leaves in its order wherever it goes. */
export const moved: readonly Torment[] = [
  { name: "3 to 2 before the end", parallelism: [3, 2], stops: "before the end" },
  { name: "3 to 1 before the end", parallelism: [3, 1], stops: "before the end" },
];
export const permuted: readonly Torment[] = [
  { name: "permuted", seed: 1 },
  ...[2, 5, 6].map((seed) => ({ name: `permuted one-by-one, seed ${seed}`, capacity: 1, seed })),
  { name: "permuted, batches of 7", capacity: 1, batch: 7, seed: 3 },
  {
    name: "permuted, rescaled, batches of 2",
    capacity: 1,
    batch: 2,
    parallelism: [2, 1, 3],
    stops: "steps",
    seed: 4,
  },
];

/** Elements between two other steps in another order; those of one key keep theirs. */
export function permutedSteps(
  steps: readonly Step[],
  keyOf: (element: ElementStep) => string,
  seed: number,
): readonly Step[] {
  const random = createRandom(seed);
  const result: Step[] = [];
  let queues = new Map<string, Step[]>();
  const flush = (): void => {
    while (queues.size > 0) {
      const keys = [...queues.keys()];
      const key = keys[Math.floor(random.next() * keys.length)] as string;
      const queue = queues.get(key) as Step[];
      result.push(queue.shift() as Step);
      if (queue.length === 0) queues.delete(key);
    }
    queues = new Map();
  };
  for (const step of steps) {
    if (step.kind !== "element") {
      flush();
      result.push(step);
      continue;
    }
    const key = keyOf(step);
    queues.set(key, [...(queues.get(key) ?? []), step]);
  }
  flush();
  return result;
}

/** The end of the batch that begins there: neighbours of one input, `most` of them. */
export function batchEnd(steps: readonly Step[], from: number, most: number): number {
  const first = steps[from];
  let end = from + 1;
  if (first?.kind !== "element") return end;
  for (; end < Math.min(steps.length, from + most); end++) {
    const step = steps[end];
    if (step?.kind !== "element" || (step.input ?? 0) !== (first.input ?? 0)) break;
  }
  return end;
}
