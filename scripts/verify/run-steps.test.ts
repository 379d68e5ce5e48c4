import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startTimeOf } from "../processes.ts";
import { runSteps, type Step, type VerifyOptions } from "./run-steps.ts";

// Programs are started, which takes seconds where much else runs.
vi.setConfig({ testTimeout: 60_000 });

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-verify-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, body: string): Step => [
  name,
  process.execPath,
  "-e",
  `const fs = require("node:fs"), counts = process.env.MILLRACE_TEST_COUNTS;
   const begin = (file, of) => fs.appendFileSync(counts + ".progress", JSON.stringify({ file, counts: of }) + "\\n");
   const note = (text) => fs.appendFileSync(${JSON.stringify(folder)} + "/ran", text + "\\n");
   const orphan = () => require("node:child_process").spawn(process.execPath,
     ["-e", 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1e3)'], { detached: true, stdio: "ignore" }).unref();
   ${body}`,
];
const countsOf = (passed: number, failed: number, skipped: number): string =>
  `fs.writeFileSync(counts, JSON.stringify(${JSON.stringify({ passed, failed, skipped })}));`;
const tests = (body: string): Step => script("tests", body);
const good = (name: string): Step => script(name, `note(${JSON.stringify(name)})`);
const bad = (name: string): Step => script(name, 'console.log("it is wrong"); process.exit(3)');

async function run(
  given: Partial<VerifyOptions>,
): Promise<{ code: number; lines: readonly string[]; last: string | undefined }> {
  let text = "";
  const code = await runSteps({
    root: folder,
    checks: [],
    tests: tests(countsOf(5, 0, 0)),
    wanted: [],
    env: process.env,
    checkLimitMs: 60_000,
    testsLimitMs: 60_000,
    settleMs: 100,
    stop: new AbortController().signal,
    write: (more) => {
      text += more;
    },
    ...given,
  });
  const lines = text.trimEnd().split("\n");
  return { code, lines, last: lines.at(-1) };
}
const ran = (): string[] =>
  existsSync(join(folder, "ran"))
    ? readFileSync(join(folder, "ran"), "utf8").trim().split("\n")
    : [];

test("VER-1 VER-2: every step runs after one that failed, which is told with what it said", async () => {
  const { code, lines, last } = await run({
    checks: [good("one"), bad("two"), good("three")],
    tests: tests(countsOf(5, 0, 2)),
  });
  expect(ran()).toEqual(["one", "three"]);
  expect(lines.filter((line) => /^FAILED/.test(line))).toEqual([
    expect.stringMatching(/^FAILED {2}two \(\d+\.\d s\)$/),
  ]);
  expect(lines).toContain("        it is wrong");
  expect(lines).toContain("failed steps: two");
  expect(last).toBe("7 passed, 1 failed, 2 skipped");
  expect(code).toBe(1);
});

test("VER-2: nothing failed is 0, a failed test is 1, a command that is not there is 1", async () => {
  expect(await run({ checks: [good("one")] })).toMatchObject({
    code: 0,
    last: "6 passed, 0 failed",
  });
  const failing = tests(`${countsOf(5, 1, 0)} process.exit(1)`);
  expect(await run({ tests: failing })).toMatchObject({ code: 1, last: "5 passed, 1 failed" });
  const missing: Step = ["one", join(folder, "nothing")];
  expect(await run({ checks: [missing] })).toMatchObject({ code: 1, last: "5 passed, 1 failed" });
});

test("VER-2: only the wanted steps run, and an unknown one is 2 before any has run", async () => {
  const checks = [good("one"), bad("two")];
  expect(await run({ checks, wanted: ["one"] })).toMatchObject({
    code: 0,
    last: "1 passed, 0 failed",
  });
  expect(await run({ checks, wanted: ["one", "three"] })).toEqual({
    code: 2,
    lines: ["no step three; steps: one, two, tests"],
    last: "no step three; steps: one, two, tests",
  });
  expect(ran()).toEqual(["one"]);
});

test("VER-3: tests that end without counts have failed, and so have those that count no failure and end with 1", async () => {
  expect(await run({ tests: tests("") })).toMatchObject({
    code: 1,
    lines: [
      "FAILED  tests: vitest ended with exit code 0 and no counts",
      "failed steps: tests",
      "0 passed, 1 failed",
    ],
  });
  const crashed = tests(
    'begin("a"); begin("a", { passed: 3, failed: 0, skipped: 1 }); begin("b"); process.exit(9)',
  );
  expect(await run({ tests: crashed })).toMatchObject({
    code: 1,
    lines: [
      "FAILED  tests: vitest ended with exit code 9 and no counts",
      "        had not finished: b",
      "failed steps: tests",
      "3 passed, 1 failed, 1 skipped",
    ],
  });
  expect(await run({ tests: tests(`${countsOf(5, 0, 0)} process.exit(1)`) })).toMatchObject({
    code: 1,
    last: "5 passed, 1 failed",
  });
});

test("VER-4: tests that go on for ever are ended at the limit, and the files that had not finished are named", async () => {
  const endless = tests(
    'begin("a"); begin("b"); begin("a", { passed: 3, failed: 1, skipped: 0 }); begin("c"); for (;;);',
  );
  const { code, lines } = await run({ tests: endless, testsLimitMs: 4_200 });
  expect(lines).toEqual([
    "FAILED  tests: ended after 0.07 minutes",
    "        had not finished: b",
    "        had not finished: c",
    "failed steps: tests",
    "3 passed, 2 failed",
  ]);
  expect(code).toBe(1);
});

test("VER-4: a check that goes on for ever is ended at its limit, and the next one runs", async () => {
  const endless = script("one", 'console.log("so far"); setInterval(() => {}, 1e3)');
  const { code, lines } = await run({ checks: [endless, good("two")], checkLimitMs: 3_000 });
  expect(lines).toContain("        so far");
  expect(lines).toContain("        ended: it took longer than its limit");
  expect(ran()).toEqual(["two"]);
  expect(code).toBe(1);
});

test("VER-5: a detached process that tests leave is ended, named and a failure", async () => {
  const hurry = AbortSignal.abort();
  const leaving = tests(`orphan(); ${countsOf(5, 0, 0)}`);
  const { code, lines, last } = await run({ tests: leaving, hurry });
  expect(lines[0]).toBe("FAILED  tests: left 1 process(es) running, now ended");
  const pid = Number(/^ +(\d+) .*setInterval/.exec(lines[1] ?? "")?.[1]);
  expect(startTimeOf(pid)).toBeUndefined();
  expect(last).toBe("5 passed, 1 failed");
  expect(code).toBe(1);
});

test("VER-2 VER-5: after a signal no further step begins and nothing is counted", async () => {
  const stop = new AbortController();
  const first = script("one", 'orphan(); note("one"); setInterval(() => {}, 1e3)');
  const ending = run({
    ...{ checks: [first, good("two")], stop: stop.signal, hurry: AbortSignal.abort() },
  });
  await expect.poll(ran, { timeout: 30_000 }).toEqual(["one"]);
  stop.abort("SIGINT");
  expect(await ending).toEqual({
    code: 130,
    lines: ["", "SIGINT: every process that was started has been ended"],
    last: "SIGINT: every process that was started has been ended",
  });
  expect(ran()).toEqual(["one"]);
});
