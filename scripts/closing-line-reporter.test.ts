import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./layers.ts";
import { readCounts, readProgress } from "./verify/test-counts.ts";

const vitest = join(root, "node_modules/.bin/vitest");
let folder = "";

beforeAll(() => {
  const cache = join(root, "node_modules/.cache/millrace");
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, "closing-line-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with test files of these bodies, by name, and a configuration with the reporter. */
function project(bodies: Readonly<Record<string, string>>): string {
  const at = mkdtempSync(join(folder, "run-"));
  const imports = 'import { beforeAll, describe, expect, test } from "vitest";\n';
  for (const [name, body] of Object.entries(bodies))
    writeFileSync(join(at, `${name}.test.ts`), imports + body);
  const reporter = join(import.meta.dirname, "closing-line-reporter.ts");
  writeFileSync(
    join(at, "vitest.config.ts"),
    `export default { test: { include: ["*.test.ts"], reporters: [${JSON.stringify(reporter)}] } };`,
  );
  return at;
}

/** Runs vitest over one file with this body and answers with what it printed, by lines. */
function runVitest(body: string): Promise<{ code: number | null; lines: string[] }> {
  const { MILLRACE_TEST_COUNTS: _, ...env } = process.env;
  const cwd = project({ x: body });
  const child = spawn(vitest, ["run"], { cwd, env });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) =>
    child.on("close", (code) => resolve({ code, lines: output.trimEnd().split("\n") })),
  );
}

test("CLR-1: tests, hooks and unhandled errors that fail are counted", async () => {
  const { code, lines } = await runVitest(`
    test("good", () => {});
    test("bad", () => expect(1).toBe(2));
    describe("broken hook", () => { beforeAll(() => { throw new Error("hook"); }); test("never runs", () => {}); });
    test("leaves a rejection", async () => { void Promise.reject(new Error("left")); await new Promise((r) => setTimeout(r, 20)); });
  `);
  expect(lines.at(-1)).toBe("2 passed, 3 failed, 1 skipped");
  expect(code).toBe(1);
});

test("CLR-1: a file that does not load is counted", async () => {
  const { code, lines } = await runVitest('throw new Error("while loading");');
  expect(lines.at(-1)).toBe("0 passed, 1 failed");
  expect(code).toBe(1);
});

test("CLR-2: a skip with a reason is printed, one without is a failure", async () => {
  const withReason = await runVitest(`
    test("good", () => {});
    test("one", (context) => context.skip("no server"));
    describe.skipIf(true)("group, skipped: no Java", () => { test("two", () => {}); });
  `);
  expect(withReason.lines).toEqual([
    "SKIPPED: x.test.ts > one: no server",
    "SKIPPED: x.test.ts > group, skipped: no Java > two: no Java > two",
    "1 passed, 0 failed, 2 skipped",
  ]);
  expect(withReason.code).toBe(0);
  const without = await runVitest('test("good", () => {}); test.skip("one", () => {});');
  expect(without.lines.at(-1)).toBe("1 passed, 1 failed");
  expect(without.code).toBe(1);
});

test("CLR-3: a run without a test is a failure", async () => {
  const { code, lines } = await runVitest("");
  expect(lines.at(-1)).toBe("0 passed, 1 failed");
  expect(code).toBe(1);
});

test("CLR-4: counts go to a file, and those of each file beside it while others still run", async () => {
  const cwd = project({
    a: 'test("good", () => {}); test("bad", () => expect(1).toBe(2)); test.skip("no reason", () => {});',
    b: 'test("endless", () => { for (;;); });',
  });
  const counts = join(cwd, "counts.json");
  const env = { ...process.env, MILLRACE_TEST_COUNTS: counts };
  const child = spawn(vitest, ["run"], { cwd, env, detached: true, stdio: "ignore" });
  const ended = new Promise((done) => child.on("exit", done));
  try {
    await expect
      .poll(() => readProgress(counts), { timeout: 9_000, interval: 50 })
      .toEqual({ counts: { passed: 1, failed: 2, skipped: 0 }, unfinished: ["b.test.ts"] });
    expect(readCounts(counts)).toBeUndefined();
  } finally {
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await ended;
  }
  rmSync(join(cwd, "b.test.ts"));
  await new Promise((done) =>
    spawn(vitest, ["run"], { cwd, env, stdio: "ignore" }).on("exit", done),
  );
  expect(readCounts(counts)).toEqual({ passed: 1, failed: 2, skipped: 0 });
}, 20_000);
