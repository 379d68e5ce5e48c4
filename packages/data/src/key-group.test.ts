import { describe, expect, test } from "vitest";
import { hashKey } from "./key.ts";
import {
  defaultMaxParallelism,
  keyGroupOf,
  keyGroupRange,
  subtaskOfKeyGroup,
} from "./key-group.ts";

describe("key groups", () => {
  test("KGR-1, PRT-03: ranges cover every group once and agree with the subtask of a group", () => {
    for (const max of [1, 2, 7, 128, 1_000]) {
      for (let parallelism = 1; parallelism <= Math.min(max, 40); parallelism++) {
        let next = 0;
        for (let subtask = 0; subtask < parallelism; subtask++) {
          const { from, to } = keyGroupRange(subtask, parallelism, max);
          if (from !== next) expect.fail(`gap before ${from}`);
          const owners = new Set<number>();
          for (let group = from; group < to; group++)
            owners.add(subtaskOfKeyGroup(group, max, parallelism));
          if (owners.size !== 1 || !owners.has(subtask))
            expect.fail(`${subtask} of ${parallelism}`);
          next = to;
        }
        expect(next).toBe(max);
      }
    }
  });
  test("PRT-04: the default is 1.5 times the parallelism as a power of two, from 128 to 32768", () => {
    expect([1, 85, 86, 128, 171, 1_000, 40_000].map(defaultMaxParallelism)).toStrictEqual([
      128, 128, 256, 256, 256, 2_048, 32_768,
    ]);
  });
  test("KGR-2: the ends of the hash fall into the first and the last group", () => {
    expect([
      keyGroupOf(0, 128),
      keyGroupOf(0xffff_ffff, 128),
      keyGroupOf(0xffff_ffff, 32_768),
    ]).toStrictEqual([0, 127, 32_767]);
  });
  test.each([
    ["numbers", (i: number) => i],
    ["strides", (i: number) => i * 1_024],
    ["fractions", (i: number) => i / 8],
    ["names", (i: number) => `user-${i}`],
    ["padded", (i: number) => String(i).padStart(16, "0")],
    ["pairs", (i: number) => [i % 100, `p${i}`]],
  ])("HSH-2: %s spread evenly over groups", (_name, key) => {
    const keys = 12_800;
    const counts = new Array<number>(128).fill(0);
    for (let i = 0; i < keys; i++) counts[keyGroupOf(hashKey(key(i)), 128)]! += 1;
    const expected = keys / 128;
    const chiSquare = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 127 degrees of freedom: above 200 has a probability below 4e-5; exact spread (below 60) would be as suspicious for strings.
    expect(chiSquare).toBeLessThan(200);
  });
});
