import { expect, test } from "vitest";
import { FrameQueue } from "./frame-queue.ts";
import { type Frame, FrameKind } from "./transport.ts";

const frame = (n: number): Frame => ({ kind: FrameKind.batch, payload: Uint8Array.of(n & 255) });

test("FRQ-2: with one or a hundred frames that always wait, the array stays short and the order is kept", () => {
  for (const waiting of [1, 100]) {
    const queue = new FrameQueue();
    let out = 0;
    for (let i = 0; i < 10_000; i++) {
      queue.push(frame(i));
      if (queue.length > waiting) expect(queue.shift()?.payload[0]).toBe(out++ & 255);
      expect(queue.slots).toBeLessThanOrEqual(2 * (waiting + 1) + 32);
    }
    expect(queue.length).toBe(waiting);
    expect(queue.bytes).toBe(waiting);
  }
});

test("the newest frame is looked at and replaced, the oldest looked at; bytes follow", () => {
  const queue = new FrameQueue();
  expect([queue.peek(), queue.last(), queue.shift()]).toEqual([undefined, undefined, undefined]);
  expect([queue.push(frame(1)), queue.push(frame(2))]).toEqual([true, false]);
  queue.replaceLast({ kind: FrameKind.watermark, payload: Uint8Array.of(3, 3, 3) });
  expect([queue.bytes, queue.length, queue.peek()?.payload[0]]).toEqual([4, 2, 1]);
  expect([queue.shift()?.payload[0], queue.last()?.payload[0]]).toEqual([1, 3]);
  queue.clear();
  expect([queue.bytes, queue.length, queue.last()]).toEqual([0, 0, undefined]);
});
