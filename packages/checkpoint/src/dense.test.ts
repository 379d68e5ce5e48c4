import { expect, test } from "vitest";
import { highestPresent, readAhead, readDense } from "./dense.ts";

test("DNS-2: the highest number of any row is found, and in few gets", async () => {
  for (const from of [0, 1, 5]) {
    for (let length = 0; length < 200; length++) {
      let gets = 0;
      const present = async (n: number) => {
        gets += 1;
        return n < from + length;
      };
      expect(await highestPresent(present, from)).toBe(from + length - 1);
      expect(gets).toBeLessThanOrEqual(2 * Math.log2(length + 2) + 1);
    }
  }
});

test("DNS-1: a row is read up to its first gap, with no more in flight than allowed", async () => {
  for (let length = 0; length < 70; length++) {
    let flying = 0;
    let most = 0;
    const get = async (n: number) => {
      flying += 1;
      most = Math.max(most, flying);
      await Promise.resolve();
      flying -= 1;
      return n - 3 === length ? undefined : new Uint8Array([n]);
    };
    const read: number[] = [];
    for await (const { n, bytes } of readDense(get, 3)) {
      expect(bytes[0]).toBe(n);
      read.push(n);
    }
    expect(read).toEqual(Array.from({ length }, (_, i) => i + 3));
    expect(most).toBeLessThanOrEqual(readAhead);
  }
});
