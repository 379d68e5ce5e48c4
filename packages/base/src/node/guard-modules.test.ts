import crypto, { randomUUID } from "node:crypto";
import { setTimeout as later } from "node:timers";
import { expect, test } from "vitest";
import { guardModules } from "./guard-modules.ts";

test("what is imported by name throws while it is closed, and works again when it is opened", () => {
  const open = guardModules((what) => () => {
    throw new RangeError(what);
  });
  try {
    expect(() => crypto.randomBytes(8)).toThrow("crypto.randomBytes()");
    expect(() => randomUUID()).toThrow("crypto.randomUUID()");
    expect(() => later(() => {}, 1)).toThrow("timers.setTimeout()");
  } finally {
    open();
  }
  expect(randomUUID()).not.toBe(randomUUID());
  expect(crypto.randomBytes(8)).toHaveLength(8);
  clearTimeout(later(() => {}, 1));
});
