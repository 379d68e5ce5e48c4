/** Rings between real threads; and the bell, with mistakes planted in its source. `MILLRACE_SEED` repeats a run. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import type { InboundChannel } from "../transport.ts";
import { bellMemory, RingBell, type RingBellOptions } from "./ring-bell.ts";
import { byteOf, frameBytes, type RingWorkerStart } from "./ring-worker.fixture.ts";
import {
  openSlotTransport,
  type RingSeat,
  ringSeats,
  type SlotAddress,
  type SlotTransport,
} from "./slot-transport.ts";

const seed = Number(process.env["MILLRACE_SEED"] ?? 20_261);
const windowBytes = 64 * 1024;
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** A worker that sends to this thread over so many channels. */
async function producer(sketch: Omit<RingWorkerStart, "rings" | "seed">) {
  const [own, rings] = ringSeats([0, 1]) as [RingSeat, RingSeat];
  const start: RingWorkerStart = { ...sketch, rings, seed };
  const transport: SlotTransport = await openSlotTransport({
    host: "127.0.0.1",
    scope: "s",
    rings: own,
  });
  const worker = new Worker(new URL("ring-worker.fixture.ts", import.meta.url), {
    workerData: start,
    transferList: rings.ports.map(({ port }) => port),
  });
  open.push({ close: () => worker.terminate() }, transport);
  const peer = await new Promise<SlotAddress>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  const slots = [{ slot: 0, ...transport.address }, peer];
  transport.meet(slots);
  const inbounds = Array.from({ length: start.channels }, (_, to) =>
    transport.openInbound({ edge: "e", from: 0, to }, windowBytes, peer),
  );
  worker.postMessage({ kind: "meet", slots });
  return { start, worker, inbounds };
}
function wrongAt(payload: Uint8Array, channel: number, frame: number): number {
  return payload.findIndex((byte, i) => byte !== byteOf(channel, frame, i));
}

describe(`threads, seed ${seed}`, () => {
  test("TRN-1 TRN-6 BEL-1: frames of up to three rings come whole and in order, whoever of the two sleeps", async () => {
    const { start, inbounds } = await producer({
      channels: 5,
      frames: 1_500,
      mostBytes: 3 * windowBytes,
      rests: 0.02,
    });
    const counts = await Promise.all(
      inbounds.map(async (inbound, channel) => {
        let awake = () => {};
        inbound.onFrame(() => awake());
        let count = 0;
        // The one before is granted when the next is taken: as a gate does.
        let held: Uint8Array | undefined;
        while (count < start.frames) {
          const next = inbound.take();
          if (next === undefined) {
            if (held !== undefined) inbound.grant(held.length);
            held = undefined;
            await new Promise<void>((resolve) => {
              awake = resolve;
            });
            continue;
          }
          if (held !== undefined) {
            expect(wrongAt(held, channel, count - 1)).toBe(-1);
            inbound.grant(held.length);
          }
          held = next.payload;
          expect(held.length).toBe(frameBytes(start, channel, count));
          expect(wrongAt(held, channel, count)).toBe(-1);
          count += 1;
          if (count % 97 === 0) await pause(count % 3);
        }
        return count;
      }),
    );
    expect(counts).toEqual(inbounds.map(() => start.frames));
  }, 60_000);

  test("TRN-4 SLO-2: the death of a thread is told once on each channel, after what had arrived", async () => {
    const { worker, inbounds } = await producer({
      channels: 2,
      frames: 100,
      mostBytes: 100,
      rests: 0.01,
    });
    const failures = inbounds.map(() => 0);
    inbounds.forEach((inbound, i) => {
      inbound.onFailure(() => {
        failures[i] = (failures[i] ?? 0) + 1;
      });
    });
    await expect.poll(() => inbounds.every(({ queuedBytes }) => queuedBytes > 0)).toBe(true);
    await worker.terminate();
    await expect.poll(() => failures).toEqual([1, 1]);
    const left = (inbound: InboundChannel) => {
      let count = 0;
      while (inbound.take() !== undefined) count += 1;
      return count;
    };
    for (const inbound of inbounds) expect(left(inbound)).toBeGreaterThan(0);
    await pause(20);
    expect(failures).toEqual([1, 1]);
  });
});

type Bell = new (options: RingBellOptions) => RingBell;

/** True when what another worker wrote is seen, though that one looked at the word just before this worker set it. */
async function seesWhatWasWrittenLate(Class: Bell): Promise<boolean> {
  const memory = bellMemory(2);
  let written = false;
  let seen = false;
  const bell: RingBell = new Class({
    memory,
    seat: 0,
    poll() {
      if (written) seen = true;
      else {
        // So long that the next thing is to sleep; and the other worker writes between this look and the setting of the word.
        const until = performance.now() + 1;
        while (performance.now() < until);
        written = true;
        return false;
      }
      return true;
    },
  });
  await pause(30);
  bell.close();
  return seen;
}
/** True when a worker to which nothing comes does not go on looking. */
async function rests(Class: Bell): Promise<boolean> {
  let looks = 0;
  const poll = () => {
    looks += 1;
    return false;
  };
  const bell: RingBell = new Class({ memory: bellMemory(1), seat: 0, poll });
  await pause(20);
  const before = looks;
  await pause(30);
  bell.close();
  return looks === before;
}
/** True when a bell that is rung while this worker sleeps makes it look. */
async function isWoken(Class: Bell): Promise<boolean> {
  const memory = bellMemory(2);
  let written = false;
  let seen = false;
  const poll = () => {
    if (!written) return false;
    written = false;
    seen = true;
    return true;
  };
  const sleeper: RingBell = new Class({ memory, seat: 1, poll });
  const other: RingBell = new Class({ memory, seat: 0, poll: () => false });
  await pause(20);
  written = true;
  other.ring(1);
  await pause(50);
  sleeper.close();
  other.close();
  return seen;
}

describe("the bell", () => {
  const checks = { seesWhatWasWrittenLate, isWoken, rests };
  test.each(Object.entries(checks))("BEL-1 BEL-2 BEL-3: %s", async (_name, holds) => {
    expect(await holds(RingBell)).toBe(true);
  });

  const source = readFileSync(new URL("ring-bell.ts", import.meta.url), "utf8");
  const mistakes: Readonly<Record<string, readonly [keyof typeof checks, string, string]>> = {
    "no second look": ["seesWhatWasWrittenLate", "    if (this.#poll()) {", "    if (false) {"],
    "nobody is notified": ["isWoken", "Atomics.notify(this.#words, word, 1)", "undefined"],
    "no bell is rung at the end of the turn": ["isWoken", "process.nextTick(this.#flush)", ""],
    "the word is not set": [
      "rests",
      "Atomics.store(this.#words, this.#own, 1)",
      "Atomics.store(this.#words, this.#own + 1, 1)",
    ],
  };
  test.each(Object.entries(mistakes))("the planted mistake “%s” shows", async (_name, mistake) => {
    const [check, find, replace] = mistake;
    const parts = source.split(find);
    expect(parts.length).toBe(2);
    const code = stripTypeScriptTypes(parts.join(replace));
    const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
      readonly RingBell: Bell;
    };
    expect(await checks[check](module.RingBell)).toBe(false);
  });
});
