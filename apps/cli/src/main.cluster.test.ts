import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startMillrace } from "./local/test-processes.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-main-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("CCH-1: compiled code is kept in a folder of the user, unless Node is told not to", async () => {
  const cache = join(folder, "millrace");
  const run = (env: Readonly<Record<string, string>>) =>
    startMillrace(folder, ["help", "list"], { XDG_CACHE_HOME: folder, ...env }).ended;
  expect((await run({ NODE_DISABLE_COMPILE_CACHE: "1" })).code).toBe(0);
  expect(existsSync(cache)).toBe(false);
  expect((await run({})).code).toBe(0);
  expect(existsSync(cache)).toBe(true);
});

test("CCH-1: what is started from here keeps it in the same place", async () => {
  const job = join(folder, "job.mjs");
  writeFileSync(job, 'console.log(process.env["NODE_COMPILE_CACHE"]);\n');
  const { stdout } = await startMillrace(folder, ["plan", job], { XDG_CACHE_HOME: folder }).ended;
  expect(stdout).toContain(join(folder, "millrace"));
});
