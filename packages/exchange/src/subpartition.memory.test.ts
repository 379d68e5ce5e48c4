/** Steady back pressure: a consumer that always leaves something waiting for credit. */
import { adaptiveCodec } from "@millrace/data";
import { expect, test } from "vitest";
import { FrameQueue } from "./frame-queue.ts";
import { Subpartition } from "./subpartition.ts";
import { FrameKind, type OutboundChannel } from "./transport.ts";

test("FRQ-1: a frame that was shifted out is garbage, while the next one still waits", async () => {
  const queue = new FrameQueue();
  const push = () => {
    const payload = new Uint8Array(1_000);
    queue.push({ kind: FrameKind.batch, payload });
    return new WeakRef(payload);
  };
  const [first, second] = [push(), push()];
  queue.shift();
  // A WeakRef holds until the end of the turn that made it.
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  expect(first?.deref()).toBeUndefined();
  expect(second?.deref()).toBeDefined();
  expect(queue.length).toBe(1);
});

test("SUB-3: what has been sent is held no longer, though the queue never runs empty", () => {
  let credit = 0;
  let sentBytes = 0;
  let grant = () => {};
  const channel: OutboundChannel = {
    id: { edge: "e", from: 0, to: 0 },
    get credit() {
      return credit;
    },
    mayGo: (bytes) => bytes <= credit,
    send(_kind, payload) {
      credit -= payload.length;
      sentBytes += payload.length;
    },
    onCredit: (listener) => {
      grant = listener;
    },
    onHint() {},
    onFailure() {},
    close() {},
  };
  const subpartition = new Subpartition(channel, adaptiveCodec().createWriter({ hashed: false }));
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  const text = "x".repeat(10_000);
  for (let batch = 0; batch < 10_000; batch++) {
    subpartition.add(text, batch, 0);
    const waited = subpartition.queuedBytes;
    subpartition.flush();
    // Credit for what waited before this batch: one batch always stays.
    credit = waited;
    grant();
    expect(subpartition.queuedBytes).toBeGreaterThan(0);
    expect(subpartition.queuedBytes).toBeLessThan(64 * 1024);
  }
  globalThis.gc?.();
  // What a first collection finds is freed beside the program.
  globalThis.gc?.();
  expect(sentBytes).toBeGreaterThan(90_000_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
});
