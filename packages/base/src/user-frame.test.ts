import { expect, test } from "vitest";
import { userFrame } from "./user-frame.ts";

const stack = (...frames: readonly string[]) =>
  ["Error: x", ...frames.map((frame) => `    at ${frame}`)].join("\n");

test("the first frame of the user's, by file, line and column", () => {
  expect(
    userFrame(
      stack("parse (file:///jobs/helper.ts:3:34)", "Array.<anonymous> (/jobs/job.ts:7:20)"),
    ),
  ).toEqual({ at: "helper.ts:3:34", frame: "parse (file:///jobs/helper.ts:3:34)" });
  expect(userFrame(stack("JSON.parse (<anonymous>)", "job.ts:1:2"))?.at).toBe("job.ts:1:2");
  // A user's own workspace looks like ours.
  expect(userFrame(stack("x (/repo/packages/jobs/src/job.ts:1:2)"))?.at).toBe("job.ts:1:2");
});

test("frames of the engine, of generated chains, of Node and of packages are passed over", () => {
  const engine = [
    "out0 (millrace/bad/in:18:26)",
    `x (${import.meta.url.replace("base/src/user-frame.test.ts", "operators/src/source.ts")}:67:14)`,
    "y (/a/node_modules/millrace/dist/index.js:1:1)",
    "z (node:internal/timers:5:2)",
  ];
  expect(userFrame(stack(...engine))).toBeUndefined();
  expect(userFrame(stack(...engine, "f (C:\\work\\job.ts:9:1)"))?.at).toBe("job.ts:9:1");
  expect(userFrame(undefined)).toBeUndefined();
});
