import { expect, test } from "vitest";
import { grown, roomFor } from "./growing.ts";

test("GRW-1: what is in an array stays while it grows, what is new is zero, and large ones are seldom copied", () => {
  let array = new Int32Array(0);
  let buffer: ArrayBufferLike = array.buffer;
  let copies = 0;
  while (array.length < 3_000_000) {
    const { length } = array;
    array = grown(array, roomFor(0, length)) as Int32Array<ArrayBuffer>;
    if (array.buffer !== buffer && length > 100_000) copies += 1;
    buffer = array.buffer;
    if (length > 0) expect([array[length - 1], array[length]]).toEqual([length, 0]);
    expect(array.at(-1)).toBe(0);
    array[array.length - 1] = array.length;
  }
  expect(copies).toBeLessThanOrEqual(1);
});

test("an eighth more is made at once, or as much as is asked for", () => {
  expect([roomFor(1, 0), roomFor(1, 16), roomFor(1, 80_000), roomFor(200_000, 80_000)]).toEqual([
    16, 32, 90_000, 200_000,
  ]);
});
