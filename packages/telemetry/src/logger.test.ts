import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createLogger } from "./logger.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-logger-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string) => join(folder, "logs", name);
const linesOf = (name: string) =>
  readFileSync(fileOf(name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

test("a line per event of the level and above, with the fields of its logger before its own", () => {
  const logger = createLogger({ level: "info", to: fileOf("levels"), fields: { slot: 1 } });
  logger.debug("unseen");
  logger.info("seen", { n: 1 });
  logger.child({ job: "a" }).error("wrong");
  const text = readFileSync(fileOf("levels"), "utf8");
  expect(text).toMatch(
    /^\{"level":"info","time":"2[^"]*Z","pid":\d+,"slot":1,"n":1,"msg":"seen"\}\n/,
  );
  expect(linesOf("levels")).toEqual([
    expect.objectContaining({ level: "info", msg: "seen" }),
    expect.objectContaining({ level: "error", slot: 1, job: "a", msg: "wrong" }),
  ]);
});

test.each([
  ["silent", 0],
  ["error", 1],
  ["warn", 2],
  ["debug", 4],
  ["shouting", 3],
])("%s lets %i of four levels through", (level, count) => {
  const logger = createLogger({ level, to: fileOf(level) });
  for (const name of ["debug", "info", "warn", "error"] as const) logger[name]("event");
  expect(readFileSync(fileOf(level), "utf8").split("\n")).toHaveLength(count + 1);
});

test("LGG-1: a line is in the file when the call has returned, and a closed descriptor ends nobody", () => {
  const logger = createLogger({ level: "info", to: fileOf("long") });
  logger.info("x".repeat(1_000_000));
  expect(linesOf("long")[0]?.["msg"]).toHaveLength(1_000_000);
  expect(() => createLogger({ level: "info", to: 9_999 }).info("nobody")).not.toThrow();
});

test("LGG-2: errors, bigints and what refers to itself are told", () => {
  const logger = createLogger({ level: "info", to: fileOf("values") });
  const loop: Record<string, unknown> = { name: "loop" };
  loop["self"] = loop;
  logger.warn("an error", { error: new TypeError("no number"), size: 12n });
  logger.warn("a loop", { loop, n: 1, error: new TypeError("as well") });
  logger.warn("a trap", {
    trap: {
      toJSON() {
        throw new Error("no");
      },
    },
  });
  const [first, second, third] = linesOf("values");
  expect(first).toMatchObject({ error: { message: "TypeError: no number" }, size: "12" });
  expect(second).toMatchObject({ n: 1, loop: expect.stringContaining("[Circular"), msg: "a loop" });
  expect(third).toMatchObject({ msg: "a trap" });
});
