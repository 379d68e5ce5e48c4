import { format, inspect } from "node:util";
import { expect, test } from "vitest";
import { captureConsole } from "./user-console.ts";

function captured() {
  const lines: [level: string, text: string, stack: string][] = [];
  const target = Object.create(null) as Console;
  captureConsole((...line) => void lines.push(line), target);
  return { target, lines };
}

test("CON-1: values of every kind are printed as Node prints them", () => {
  const { target, lines } = captured();
  const cycle: Record<string, unknown> = { name: "cycle" };
  cycle["self"] = cycle;
  const values = [10n, cycle, new Map([["k", { v: 1 }]]), new Set([1]), Symbol("s"), undefined, -0];
  for (const value of values) target.log("value", value);
  expect(lines.map(([, text]) => text)).toEqual(values.map((value) => format("value", value)));
  target.error(new TypeError("broken", { cause: new Error("below") }));
  expect(lines.at(-1)?.[1]).toContain("TypeError: broken");
  expect(lines.at(-1)?.[1]).toContain("Error: below");
  target.log("%s has %d of %o", "a", 3, { b: 1 });
  expect(lines.at(-1)?.[1]).toBe(format("%s has %d of %o", "a", 3, { b: 1 }));
});

test("CON-1: each method has its level; groups, tables, counters, asserts and timers work", () => {
  const { target, lines } = captured();
  target.debug("d");
  target.info("i");
  target.warn("w");
  target.error("e");
  target.group("outer");
  target.log("inner");
  target.groupEnd();
  target.table([{ a: 1 }]);
  target.count();
  target.assert(false, "wrong");
  target.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
  target.time("t");
  target.timeEnd("t");
  expect(lines.slice(0, 6).map(([level, text]) => `${level} ${text}`)).toEqual([
    "debug d",
    "info i",
    "warn w",
    "error e",
    "info outer",
    "info   inner",
  ]);
  expect(lines[6]?.[1]).toContain("│ 0       │ 1 │");
  expect(lines.slice(7, 10).map(([level, text]) => `${level} ${text}`)).toEqual([
    "info default: 1",
    "error Assertion failed: wrong",
    `info ${inspect({ a: { b: 1 } }, { depth: 0 })}`,
  ]);
  expect(lines[10]?.[1]).toMatch(/^t: [\d.]+ms$/);
});

test("CON-2: no call throws: hostile getters, inspectors, proxies; what is too long is cut", () => {
  const { target, lines } = captured();
  const hostile = [
    {
      [inspect.custom]: () => {
        throw new RangeError("no");
      },
    },
    {
      get toString() {
        throw new Error("no");
      },
    },
    new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
        ownKeys: () => {
          throw new Error("no");
        },
      },
    ),
    Object.create(null),
    "x".repeat(1_000_000),
  ];
  for (const value of hostile) {
    target.log(value);
    target.log("%s", value);
  }
  expect(lines).toHaveLength(10);
  for (const [, text] of lines) expect(text.length).toBeLessThan(70_000);
  expect(lines[0]?.[1]).toBe("a value that can't be shown: RangeError");
});

test("a line comes with its caller's stack, and what was set for stacks stays", () => {
  const { target, lines } = captured();
  const before = [Error.stackTraceLimit, Error.prepareStackTrace];
  const call = new Function("target", "target.log('here');\n//# sourceURL=millrace/job/uid");
  call(target);
  expect(lines[0]?.[2]).toMatch(/millrace\/job\/uid:3:8/);
  expect([Error.stackTraceLimit, Error.prepareStackTrace]).toEqual(before);
});
