import { expect, test } from "vitest";
import { userFrame } from "./user-frame.ts";

const stack = (...frames: readonly string[]) =>
  ["Error: x", ...frames.map((frame) => `    at ${frame}`)].join("\n");

test("the first frame of the user's, by file, line and column", () => {
  expect(
    userFrame(
      stack("parse (file:///jobs/helper.ts:3:34)", "Array.<anonymous> (/jobs/job.ts:7:20)"),
    ),
  ).toBe("helper.ts:3:34");
  expect(userFrame(stack("JSON.parse (<anonymous>)", "job.ts:1:2"))).toBe("job.ts:1:2");
});

test("frames of the engine, of generated chains, of Node and of packages are passed over", () => {
  const engine = [
    "out0 (millrace/bad/in:18:26)",
    "x (file:///r/packages/operators/src/source.ts:67:14)",
    "y (/a/node_modules/millrace/dist/index.js:1:1)",
    "z (node:internal/timers:5:2)",
  ];
  expect(userFrame(stack(...engine))).toBeUndefined();
  expect(userFrame(stack(...engine, "f (C:\\work\\job.ts:9:1)"))).toBe("job.ts:9:1");
  expect(userFrame(undefined)).toBeUndefined();
});
