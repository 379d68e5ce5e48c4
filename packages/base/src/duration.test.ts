import { expect, test } from "vitest";
import { formatDuration } from "./duration.ts";

test.each([
  [0, "0ms"],
  [999.4, "999ms"],
  [999.6, "1s"],
  [1_540, "1.5s"],
  [59_949, "59.9s"],
  [59_950, "1m 0s"],
  [60_000, "1m 0s"],
  [119_499, "1m 59s"],
  [119_500, "2m 0s"],
  [3_599_499, "59m 59s"],
  [3_599_500, "1h 0m"],
  [7_199_999, "2h 0m"],
  [5_400_000, "1h 30m"],
])("%d ms is %s: no unit is ever full", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
