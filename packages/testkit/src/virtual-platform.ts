/**
 * Time, timers and randomness of a seed: a whole cluster on one virtual clock.
 *
 * VIR-1  Events run in the order of their time, equal times in the order in which they were asked for; two runs of a seed are equal.
 * VIR-2  Between two events everything that promises had left to do is done: `settle` waits for that.
 * VIR-3  Time goes on: `run` rejects when more than `eventsAtOnce` events run at one moment.
 */
import type { Platform, Random } from "@millrace/base";

export interface VirtualPlatform extends Platform {
  /** Virtual ms since the start. */
  readonly now: number;
  /** Events that have run. */
  readonly events: number;
  /** Virtual ms at which the next event is due; undefined when there is none. */
  readonly nextAt: number | undefined;
  /** Inside an event: code that holds the loop for so long. What is due meanwhile runs late. */
  spend(ms: number): void;
  /** Runs events until none is left, `until` has been reached, or `stop` says so. */
  run(options: { readonly until: number; readonly stop?: () => boolean }): Promise<void>;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  fn: (() => void) | undefined;
}

/** `settle` resolves when all promises that are ready have had their turn: a macrotask of the real loop. */
export function createVirtualPlatform(
  seed: number,
  settle: () => Promise<void>,
  eventsAtOnce = 100_000,
): VirtualPlatform {
  const random = createRandom(seed);
  const heap: Entry[] = [];
  let now = 0;
  let order = 0;
  let events = 0;
  let atOnce = 0;
  const after = (delayMs: number, fn: () => void) => {
    const entry: Entry = { at: now + Math.max(0, delayMs), order: order++, fn };
    push(heap, entry);
    return () => {
      entry.fn = undefined;
    };
  };
  return {
    clock: { now: () => 1_700_000_000_000 + now, monotonic: () => now },
    timers: {
      after,
      soon: (fn) => {
        after(0, fn);
      },
    },
    random,
    get now() {
      return now;
    },
    get events() {
      return events;
    },
    get nextAt() {
      while (heap[0] !== undefined && heap[0].fn === undefined) pop(heap);
      return heap[0]?.at;
    },
    spend(ms) {
      now += ms;
    },
    async run({ until, stop }) {
      await settle();
      for (let entry = heap[0]; entry !== undefined && entry.at <= until; entry = heap[0]) {
        if (stop?.() === true) return;
        pop(heap);
        if (entry.fn === undefined) continue;
        atOnce = entry.at <= now ? atOnce + 1 : 0;
        if (atOnce > eventsAtOnce) throw new Error(`${atOnce} events at ${now} ms`);
        now = Math.max(now, entry.at);
        events += 1;
        entry.fn();
        await settle();
      }
      now = Math.max(now, Math.min(until, heap[0]?.at ?? until));
    },
  };
}

/** mulberry32: small, fast, good enough to shuffle a simulation. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const hex = (bytes: number) => {
    let text = "";
    for (let i = 0; i < bytes; i++)
      text += Math.floor(next() * 256)
        .toString(16)
        .padStart(2, "0");
    return text;
  };
  return { next, hex };
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
function push(heap: Entry[], entry: Entry): void {
  heap.push(entry);
  let at = heap.length - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up] as Entry;
    if (!before(entry, parent)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = entry;
}
function pop(heap: Entry[]): void {
  const last = heap.pop() as Entry;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry))
      child += 1;
    if (!before(heap[child] as Entry, last)) break;
    heap[at] = heap[child] as Entry;
    at = child;
  }
  heap[at] = last;
}
