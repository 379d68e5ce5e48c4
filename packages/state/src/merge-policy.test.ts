import { expect, test } from "vitest";
import { segmentsToMerge } from "./merge-policy.ts";

test("MRG-1: many small snapshots leave few segments, and write each row few times", () => {
  const rows: number[] = [100_000];
  let written = 0;
  let most = 0;
  for (let i = 0; i < 1_000; i++) {
    const count = segmentsToMerge(rows, 50);
    const merged = rows.splice(rows.length - count).reduce((sum, each) => sum + each, 50);
    written += merged;
    rows.push(merged);
    most = Math.max(most, rows.length);
    for (let at = 0; at + 1 < rows.length; at++) {
      const newer = rows.slice(at + 1).reduce((sum, each) => sum + each, 0);
      expect(rows[at]).toBeGreaterThan(newer);
    }
  }
  expect(most).toBeLessThanOrEqual(10);
  expect(written / (1_000 * 50)).toBeLessThan(12);
});

test("nothing changed: nothing is merged", () => {
  expect(segmentsToMerge([10, 5, 1], 0)).toBe(0);
  expect(segmentsToMerge([], 100)).toBe(0);
});
