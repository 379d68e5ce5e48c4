import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readManifest } from "./workspace-files.ts";

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

/** With the stand-in first on the PATH, and nothing of an npm that runs these tests. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const path = `${join(folder, "fake-bin")}${delimiter}${process.env["PATH"]}`;
  return { ...Object.fromEntries(own), PATH: path };
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function bootstrap(...args: readonly string[]): Promise<Ended> {
  return start(...args).ended;
}

/** In a process group of its own, as a shell does. */
function start(...args: readonly string[]): {
  readonly pid: number;
  readonly ended: Promise<Ended>;
} {
  const env = environment();
  const child = spawn(process.execPath, [join(folder, "scripts/bootstrap.mjs"), ...args], {
    env,
    detached: true,
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code) => resolve({ code, output })),
  );
  return { pid: child.pid ?? 0, ended };
}

const ownScripts = (): Readonly<Record<string, string>> =>
  readManifest(".")["scripts"] as Readonly<Record<string, string>>;
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

/** What a bootstrap that was killed leaves behind. */
async function plantAbandonedLock(): Promise<void> {
  mkdirSync(join(folder, ".setup-lock"));
  const gone = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => gone.on("close", resolve));
  writeFileSync(join(folder, `.setup-lock/${gone.pid}-12345`), "");
}
const locks = (): string[] => readdirSync(folder).filter((name) => name.startsWith(".setup-lock"));

test("BOO-3: the lock of a process that is gone is taken over, also when its pid is another's now", async () => {
  plantNpx("exit 0");
  await plantAbandonedLock();
  expect(await bootstrap()).toMatchObject({ code: 0 });
  expect(locks()).toEqual([]);
  appendFileSync(join(folder, "pnpm-lock.yaml"), "two\n");
  mkdirSync(join(folder, ".setup-lock"));
  writeFileSync(join(folder, `.setup-lock/${process.pid}-12345`), "");
  expect(await bootstrap()).toMatchObject({ code: 0 });
  expect(locks()).toEqual([]);
  expect(calls()).toHaveLength(2);
});

test("BOO-3: an empty folder is no lock: its holder was giving it back", async () => {
  plantNpx("exit 0");
  mkdirSync(join(folder, ".setup-lock"));
  expect(await bootstrap()).toMatchObject({ code: 0 });
  expect(locks()).toEqual([]);
});

test("BOO-3: of many that find an abandoned lock one installs at a time, even when the installs fail", async () => {
  // Each tries to make a folder that another would still have.
  plantNpx(
    `mkdir "${folder}/busy" || echo overlap >> "${folder}/overlaps"; sleep 0.1; rmdir "${folder}/busy"; exit 1`,
  );
  for (let round = 0; round < 2; round++) {
    await plantAbandonedLock();
    const many = await Promise.all(Array.from({ length: 6 }, () => bootstrap()));
    expect(many.map(({ code }) => code)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(locks()).toEqual([]);
  }
  expect(calls()).toHaveLength(12);
  expect(existsSync(join(folder, "overlaps"))).toBe(false);
}, 60_000);

test("BOO-4: Ctrl-C ends the install, leaves no stamp and no lock, and the next run completes it", async () => {
  plantNpx("exec sleep 60");
  const run = start("scripts/hello.mjs", "you");
  await expect.poll(calls, { timeout: 8_000 }).toHaveLength(1);
  process.kill(-run.pid, "SIGINT");
  expect(await run.ended).toMatchObject({
    code: 130,
    output: expect.stringContaining("interrupted; the next run goes on from here") as string,
  });
  expect(locks()).toEqual([]);
  expect(existsSync(join(folder, "node_modules/.cache/millrace/setup-stamp"))).toBe(false);
  plantNpx("exit 0");
  expect(await bootstrap("scripts/hello.mjs", "you")).toMatchObject({ code: 0 });
  expect(calls()).toHaveLength(2);
});

test.each(["SIGTERM", "SIGKILL"] as const)(
  "BOO-5: after %s for npm, what it had started is ended",
  async (signal) => {
    plantNpx("exit 0");
    const waits = join(folder, "scripts/waits.mjs");
    writeFileSync(
      waits,
      `import { writeFileSync } from "node:fs";
       process.on("SIGTERM", () => { writeFileSync("ended", ""); process.exit(); });
       setInterval(() => {}, 1_000);
       writeFileSync("began", "");`,
    );
    const script = ownScripts()["test"]?.replace("scripts/verify.ts", "scripts/waits.mjs");
    expect(script).toContain("waits.mjs");
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ packageManager: "pnpm@1.2.3", scripts: { test: script } }),
    );
    const npm = spawn("npm", ["test"], { cwd: folder, env: environment(), stdio: "ignore" });
    await expect.poll(() => existsSync(join(folder, "began")), { timeout: 20_000 }).toBe(true);
    npm.kill(signal);
    await expect.poll(() => existsSync(join(folder, "ended")), { timeout: 20_000 }).toBe(true);
  },
  60_000,
);

test("BOO-5: every script of the repository that bootstraps leaves no shell in between", () => {
  const bootstrapped = Object.values(ownScripts()).filter((script) => script.includes("bootstrap"));
  expect(bootstrapped.length).toBeGreaterThan(2);
  for (const script of bootstrapped) expect(script).toMatch(/^exec node /);
});

test("what the caches hold is not asked of the network, by npx and by pnpm", async () => {
  plantNpx("exit 0");
  await bootstrap();
  expect(calls()[0]).toMatch(/^--yes --prefer-offline .*pnpm@1\.2\.3 install .*--prefer-offline/);
});

test("the exit code of the script is handed on", async () => {
  plantNpx("exit 0");
  writeFileSync(join(folder, "scripts/fails.mjs"), "process.exit(7);\n");
  expect(await bootstrap("scripts/fails.mjs")).toMatchObject({ code: 7 });
});
