import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { BufferPool } from "./buffer-pool.ts";
import { Connection } from "./connection.ts";
import { FrameType } from "./wire.ts";

test("TCP-7 FWR-1 FWR-2: what a turn sends is one write; its buffer is used again once the system has it, not before", async () => {
  const calls: string[] = [];
  const written: { readonly bytes: Uint8Array; readonly done: () => void }[] = [];
  const socket = Object.assign(new EventEmitter(), {
    cork: () => void calls.push("cork"),
    uncork: () => void calls.push("uncork"),
    write(bytes: Uint8Array, done: () => void) {
      calls.push("write");
      written.push({ bytes, done });
    },
  });
  const events = { onFrame: () => {}, onEnd: () => {} };
  const connection = new Connection(socket as unknown as Socket, events, {
    pool: new BufferPool(),
  });
  const send = async (frames: number, bytes: number) => {
    for (let sequence = 0; sequence < frames; sequence++) {
      const payload = new Uint8Array(bytes).fill(sequence);
      connection.send({ type: FrameType.data + 1, channel: 0, sequence, payload });
      payload.fill(255);
    }
    await new Promise((resolve) => setImmediate(resolve));
    return calls.splice(0);
  };
  expect(await send(20, 100)).toEqual(["write"]);
  expect(await send(5, 48_000)).toEqual(["cork", "write", "write", "write", "uncork"]);
  const before = written.map(({ bytes }) => Buffer.from(bytes));
  await send(5, 48_000);
  expect(written.slice(0, before.length).map(({ bytes }) => Buffer.from(bytes))).toEqual(before);
  for (const { done } of written) done();
  const buffers = new Set(written.map(({ bytes }) => bytes.buffer));
  await send(2, 48_000);
  expect(buffers.has(written.at(-1)?.bytes.buffer as ArrayBuffer)).toBe(true);
});

test("POL-1: what lies unused in a pool is bounded; a buffer comes back for another of its size", () => {
  const pool = new BufferPool();
  const first = pool.take(48_000);
  pool.give(first);
  const again = pool.take(40_000);
  expect([again.buffer === first.buffer, again.length]).toEqual([true, 40_000]);
  for (const buffer of Array.from({ length: 100 }, () => pool.take(100_000))) pool.give(buffer);
  expect(pool.unusedBytes).toBe(4 * 1024 * 1024);
  const taken = Array.from({ length: 100 }, () => pool.take(100_000).buffer);
  expect([new Set(taken).size, pool.unusedBytes]).toEqual([100, 0]);
});
