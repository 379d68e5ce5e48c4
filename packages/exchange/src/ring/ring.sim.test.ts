/** Random frames, takes and grants through a ring. `MILLRACE_SEED` repeats a run. */
import { describe, expect, test } from "vitest";
import { FrameKind } from "../transport.ts";
import { ringCapacity, ringMemoryBytes } from "./ring.ts";
import { RingInbound, RingOutbound } from "./ring-channel.ts";

const first = Number(process.env["MILLRACE_SEED"] ?? 1);
const seeds = 400;
const framesPerSeed = 150;
/** A bell: each end looks only when the other has rung, as a worker that sleeps does. */
function lineTo(ring: () => void) {
  return { ring, hint() {}, close() {} };
}

/** Words of the memory that a planted mistake writes to. */
interface Counters {
  /** Where written and released began. */
  readonly start: number;
  released: number;
  granted: number;
  waiting: number;
}
interface Mistake {
  /** Changes what one end sees of the other; called after each step. */
  tamper?(counters: Counters, step: number): void;
  /** What is taken is granted at once, and read on. */
  readonly early?: boolean;
}

function randomOf(seed: number): (below: number) => number {
  let state = seed * 0x9e37_79b9;
  return (below) => {
    state = (state + 0x6d2b_79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
function fill(payload: Uint8Array, frame: number): Uint8Array {
  for (let i = 0; i < payload.length; i++) payload[i] = (frame * 31 + i * 7) & 0xff;
  return payload;
}

/** What went wrong, or nothing. */
function run(seed: number, mistake?: Mistake): string | undefined {
  const random = randomOf(seed);
  const capacity = ringCapacity(64 << random(5), 64);
  const memory = new ArrayBuffer(ringMemoryBytes(capacity));
  const words = new Int32Array(memory);
  const start = seed % 3 === 0 ? -8 * (1 + random(capacity)) : 0;
  words[0] = words[32] = start;
  const counters: Counters = {
    start,
    get released() {
      return words[32] ?? 0;
    },
    set released(value) {
      words[32] = value;
    },
    get waiting() {
      return words[1] ?? 0;
    },
    set waiting(value) {
      words[1] = value;
    },
    get granted() {
      return words[33] ?? 0;
    },
    set granted(value) {
      words[33] = value;
    },
  };
  const id = { edge: "e", from: 0, to: 0 };
  const rung = { consumer: false, producer: false };
  // As a subpartition and a gate do: what could not go is tried again when credit is told, what was empty when a frame is.
  const may = { send: true, take: false };
  const inbound = new RingInbound(
    id,
    lineTo(() => {
      rung.producer = true;
    }),
    memory,
  );
  const out = new RingOutbound(
    id,
    lineTo(() => {
      rung.consumer = true;
    }),
  );
  inbound.onFrame(() => {
    may.take = true;
  });
  out.onCredit(() => {
    may.send = true;
  });
  // In some runs all counters pass 2³².
  const window = seed % 3 === 0 ? 2 ** 32 - 1 - random(capacity) : 1 + random(2 * capacity);
  inbound.grant(window);
  out.join(memory);
  out.poll();
  let failure: unknown;
  inbound.onFailure((error) => {
    failure = error;
  });

  const sizes = Array.from({ length: framesPerSeed }, () => {
    const most = [8, 40, capacity / 2, capacity, 3 * capacity][random(5)] ?? 8;
    return 1 + random(most);
  });
  sizes.push(0);
  const held: { readonly frame: number; readonly payload: Uint8Array }[] = [];
  let sent = 0;
  let taken = 0;
  let idle = 0;
  for (let step = 0; idle < 1_000; step++) {
    idle += 1;
    const size = sizes[sent];
    switch (random(6)) {
      case 0:
      case 1:
        if (size === undefined || !may.send) break;
        may.send = out.mayGo(size);
        if (!may.send) break;
        {
          const payload = fill(new Uint8Array(size), sent);
          out.send(size === 0 ? FrameKind.endOfData : FrameKind.batch, payload);
          payload.fill(0xee);
          sent += 1;
          idle = 0;
        }
        break;
      case 2:
        if (rung.producer) {
          rung.producer = false;
          out.poll();
        }
        break;
      case 3:
        if (rung.consumer) {
          rung.consumer = false;
          inbound.poll();
        }
        break;
      case 4: {
        if (!may.take) break;
        const frame = inbound.take();
        may.take = frame !== undefined;
        if (frame === undefined) break;
        idle = 0;
        if (frame.kind !== (sizes[taken] === 0 ? FrameKind.endOfData : FrameKind.batch))
          return `frame ${taken} is of another kind`;
        if (mistake?.early === true) inbound.grant(frame.payload.length);
        held.push({ frame: taken, payload: frame.payload });
        taken += 1;
        break;
      }
      default: {
        const oldest = held[0];
        if (oldest === undefined || random(3) === 0) break;
        held.shift();
        idle = 0;
        if (mistake?.early !== true) inbound.grant(oldest.payload.length);
      }
    }
    mistake?.tamper?.(counters, step);
    if (failure !== undefined) return `failed: ${String(failure)}`;
    for (const { frame, payload } of held) {
      if (payload.length !== sizes[frame]) return `frame ${frame} is of another length`;
      for (let i = 0; i < payload.length; i++)
        if (payload[i] !== ((frame * 31 + i * 7) & 0xff)) return `frame ${frame} is damaged`;
    }
  }
  if (taken < sizes.length) return `stuck after ${taken} of ${sizes.length} frames`;
  out.poll();
  if (out.credit !== window) return `credit is ${out.credit} of ${window}`;
  if (inbound.queuedBytes !== 0) return "bytes are queued";
  return undefined;
}

describe(`a ring, seeds from ${first}`, () => {
  test("RNG-1..6: frames of up to three rings come out whole and in order, stay until they are granted, and all credit comes back", () => {
    for (let seed = first; seed < first + seeds; seed++)
      expect(run(seed), `seed ${seed}`).toBeUndefined();
  });

  const mistakes: Readonly<Record<string, Mistake>> = {
    "what is taken is written over before it is granted": { early: true },
    "credit is lost": {
      tamper(counters, step) {
        if (step % 50 === 49) counters.granted -= Math.min(3, counters.granted);
      },
    },
    "a writer that waits is not heard": {
      tamper(counters) {
        counters.waiting = 0;
      },
    },
    "what is granted is not released": {
      tamper(counters) {
        counters.released = counters.start;
      },
    },
  };
  test.each(Object.keys(mistakes))("the planted mistake “%s” shows", (name) => {
    const shown = Array.from({ length: 20 }, (_, i) => run(first + i, mistakes[name]));
    expect(shown.filter((problem) => problem !== undefined).length).toBeGreaterThan(10);
  });
});
