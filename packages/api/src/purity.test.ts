import { describe, expect, test } from "vitest";
import { guarded } from "./purity.ts";

const impure: Readonly<Record<string, () => unknown>> = {
  "Date.now()": () => Date.now(),
  "new Date()": () => new Date(),
  "Date()": () => Date(),
  "Math.random()": () => Math.random(),
  "performance.now()": () => performance.now(),
  "performance.timeOrigin": () => performance.timeOrigin,
  "crypto.randomUUID()": () => crypto.randomUUID(),
  "crypto.getRandomValues()": () => crypto.getRandomValues(new Uint8Array(1)),
  "setTimeout()": () => setTimeout(() => {}, 0),
  "setInterval()": () => setInterval(() => {}, 0),
  "setImmediate()": () => setImmediate(() => {}),
  "queueMicrotask()": () => queueMicrotask(() => {}),
  "fetch()": () => fetch("http://127.0.0.1:9/"),
  "process.hrtime()": () => process.hrtime(),
  "process.hrtime.bigint()": () => process.hrtime.bigint(),
  "process.uptime()": () => process.uptime(),
  "process.env": () => process.env["HOME"],
  "Intl.DateTimeFormat().format()": () => new Intl.DateTimeFormat("en").format(),
};

describe("PUR-1: closed while a build function runs", () => {
  test.each(Object.entries(impure))("%s", (called, use) => {
    expect(() => guarded(use, undefined)).toThrow(
      expect.objectContaining({ code: "BUILD_IMPURE", fields: { called } }) as Error,
    );
  });
  test("a date's own constructor, and the names and the size of the environment", () => {
    const uses: readonly (() => unknown)[] = [
      () => new (new Date(0).constructor as DateConstructor)(),
      () => Object.keys(process.env),
      () => "HOME" in process.env,
    ];
    for (const use of uses)
      expect(() => guarded(use, undefined)).toThrow(
        expect.objectContaining({ code: "BUILD_IMPURE" }) as Error,
      );
  });
  test("a given time is not the current one", () => {
    const format = () => new Intl.DateTimeFormat("en", { timeZone: "UTC" }).format(0);
    expect(guarded(() => [new Date(5).getTime(), format()], undefined)).toEqual([5, "1/1/1970"]);
  });
  test("what a host offers besides is closed by it", () => {
    const log: string[] = [];
    const guardHost = (refuse: (what: string) => () => never) => {
      log.push("closed");
      expect(refuse("x")).toThrow(expect.objectContaining({ fields: { called: "x" } }) as Error);
      return () => void log.push("open");
    };
    guarded(() => log.push("built"), guardHost);
    expect(log).toEqual(["closed", "built", "open"]);
  });
});

test("PUR-2: everything is put back, also when the build throws", () => {
  const names = ["Date", "fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask"];
  const owners = (): unknown =>
    [Math, performance, crypto, Date.prototype, Intl.DateTimeFormat.prototype]
      .map((owner) => Object.getOwnPropertyDescriptors(owner) as unknown)
      .concat(names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)));
  const before = owners();
  const env = process.env;
  expect(() =>
    guarded(() => {
      throw new RangeError("late");
    }, undefined),
  ).toThrow("late");
  expect(owners()).toEqual(before);
  expect(process.env).toBe(env);
  expect(new Date(0).constructor).toBe(Date);
  for (const [called, use] of Object.entries(impure))
    if (!/^(set|fetch|queue)/.test(called)) expect(use, called).not.toThrow();
});
