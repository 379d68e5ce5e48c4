import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-bootstrap-"));
  mkdirSync(join(folder, "scripts"));
  copyFileSync(join(import.meta.dirname, "bootstrap.mjs"), join(folder, "scripts/bootstrap.mjs"));
  writeFileSync(join(folder, "package.json"), '{"packageManager":"pnpm@1.2.3"}');
  writeFileSync(join(folder, "pnpm-lock.yaml"), "one\n");
  writeFileSync(join(folder, "scripts/hello.mjs"), "console.log('hello', process.argv[2]);\n");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A stand-in for npx that notes its arguments and then does what `body` says. */
function plantNpx(body: string): void {
  const path = join(folder, "fake-bin/npx");
  mkdirSync(join(folder, "fake-bin"), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "$@" >> "${folder}/calls"\n${body}\n`);
  chmodSync(path, 0o755);
}

function bootstrap(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const env = {
    ...process.env,
    PATH: `${join(folder, "fake-bin")}${delimiter}${process.env["PATH"]}`,
  };
  const child = spawn(process.execPath, [join(folder, "scripts/bootstrap.mjs"), ...args], { env });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

const calls = (): string[] =>
  existsSync(join(folder, "calls"))
    ? readFileSync(join(folder, "calls"), "utf8").trim().split("\n")
    : [];

test("BOO-1: an install that fails leaves no stamp, so the next run installs again", async () => {
  plantNpx("exit 3");
  expect(await bootstrap("scripts/hello.mjs", "you")).toMatchObject({ code: 1 });
  plantNpx("exit 0");
  expect(await bootstrap("scripts/hello.mjs", "you")).toMatchObject({ code: 0 });
  expect(calls()).toHaveLength(2);
  expect(calls()[0]).toContain("pnpm@1.2.3 install --frozen-lockfile");
});

test("BOO-2: with a matching stamp nothing is installed, and a changed lockfile installs again", async () => {
  plantNpx("exit 0");
  await bootstrap();
  expect(await bootstrap("scripts/hello.mjs", "you")).toEqual({ code: 0, output: "hello you\n" });
  expect(calls()).toHaveLength(1);
  appendFileSync(join(folder, "pnpm-lock.yaml"), "two\n");
  await bootstrap();
  expect(calls()).toHaveLength(2);
});

test("BOO-3: of two at once one installs, and both then run", async () => {
  plantNpx("sleep 0.3");
  const both = await Promise.all([
    bootstrap("scripts/hello.mjs", "a"),
    bootstrap("scripts/hello.mjs", "b"),
  ]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(calls()).toHaveLength(1);
});

test("BOO-3: the lock of a process that is gone is taken over", async () => {
  plantNpx("exit 0");
  mkdirSync(join(folder, ".setup-lock"));
  const gone = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => gone.on("close", resolve));
  writeFileSync(join(folder, ".setup-lock/pid"), String(gone.pid));
  expect(await bootstrap()).toMatchObject({ code: 0 });
  expect(existsSync(join(folder, ".setup-lock"))).toBe(false);
});

test("the exit code of the script is handed on", async () => {
  plantNpx("exit 0");
  writeFileSync(join(folder, "scripts/fails.mjs"), "process.exit(7);\n");
  expect(await bootstrap("scripts/fails.mjs")).toMatchObject({ code: 7 });
});
