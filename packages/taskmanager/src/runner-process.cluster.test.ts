/** Real runner processes, and how each of their ends is told: RPR-1, RPR-2, RWT-1, RWT-2. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { UpMessage } from "@millrace/protocol";
import { openStore } from "@millrace/storage";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RunnerExit, RunnerProcess, type RunnerProcessOptions } from "./runner-process.ts";

const mb = 1024 * 1024;
const attempt = { jobId: "a".repeat(32), epoch: 1, attempt: 1 };
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-runner-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Started {
  readonly runner: RunnerProcess;
  readonly ended: Promise<RunnerExit>;
  readonly exits: RunnerExit[];
  readonly ups: UpMessage[];
  readonly memory: number[];
  log(): Promise<string>;
}
/** A runner of a bundle with this text. */
async function run(
  bundle: string,
  options: Partial<RunnerProcessOptions> & { readonly memoryBytes?: number } = {},
): Promise<Started> {
  const store = await openStore(join(folder, "store"));
  await store.put("bundles/job.mjs", Buffer.from(bundle));
  await store.close();
  const exits: RunnerExit[] = [];
  const ups: UpMessage[] = [];
  const memory: number[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<RunnerExit>();
  const logFile = join(folder, "runner.log");
  const runner = new RunnerProcess({
    runner: {
      start: {
        attempt,
        slots: [0],
        bundle: "bundles/job.mjs",
        parameters: '{"parameters":{}}',
        graphDigest: "",
        jobName: "job",
      },
      store: join(folder, "store"),
      host: "127.0.0.1",
      workDir: join(folder, "work"),
      memoryBytes: options.memoryBytes ?? 4_096 * mb,
    },
    attempt,
    logFile,
    heartbeat: { intervalMs: 100, timeoutMs: 1_000 },
    events: {
      onUp: (message) => ups.push(message),
      onMetrics() {},
      onMemory: (rssBytes) => memory.push(rssBytes),
      onExit: (exit) => {
        exits.push(exit);
        resolve(exit);
      },
    },
    ...options,
  });
  return { runner, ended, exits, ups, memory, log: () => readFile(logFile, "utf8") };
}
/** A bundle that keeps its worker busy with something before any job is found in it. */
const forever = "await new Promise((resolve) => setTimeout(resolve, 60_000));";

test("RPR-1: a Node that is not there is an end with its reason, told once", async () => {
  const { runner, ended, exits } = await run(forever, { execPath: join(folder, "no-node") });
  expect(await ended).toMatchObject({
    exitCode: -1,
    error: { code: "RUNNER_NOT_STARTED", cause: { message: expect.stringContaining("ENOENT") } },
  });
  runner.kill();
  runner.finish(10);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(exits).toHaveLength(1);
});

test("RPR-1: a log that can't be opened throws, and leaves no process", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(run(forever, { logFile: join(folder, "file", "runner.log") })).rejects.toThrow(
    /ENOTDIR|EEXIST/,
  );
});

test("a runner that is killed, and one whose bundle throws, say what happened", async () => {
  const killed = await run(forever);
  killed.runner.kill();
  expect(await killed.ended).toMatchObject({ signal: "SIGKILL", error: undefined });
  const broken = await run("throw new RangeError('at import');");
  expect(await broken.ended).toMatchObject({
    exitCode: 1,
    error: { code: "RUNNER_BUNDLE_BROKEN", cause: { message: "RangeError: at import" } },
  });
  expect(await broken.log()).toContain("at import");
});

test("RUN-1: a worker that ends takes its runner along", async () => {
  const { ended } = await run("process.exit(3);");
  expect(await ended).toMatchObject({
    exitCode: 1,
    error: { code: "RUNNER_CRASHED", fields: { slot: 0, exitCode: 3 } },
  });
});

test("RUN-4: a worker whose heap is full ends its runner, with RUNNER_MEMORY", async () => {
  const { ended } = await run(
    "const all = []; for (;;) all.push({ a: [all.length, 'x' + all.length] });",
    { memoryBytes: 100 * mb, heartbeat: { intervalMs: 60_000, timeoutMs: 60_000 } },
  );
  expect(await ended).toMatchObject({
    exitCode: 1,
    error: { code: "RUNNER_MEMORY", fields: { slot: 0, heapLimitMb: 75 } },
  });
});

test("RWT-2: memory outside the heaps counts: a runner that holds more than it may is killed with RUNNER_MEMORY", async () => {
  const { ended, memory } = await run(
    `globalThis.all = []; setInterval(() => all.push(Buffer.alloc(${8 * mb}, 1)), 20);${forever}`,
    { memoryBytes: 400 * mb },
  );
  expect(await ended).toMatchObject({
    signal: "SIGKILL",
    error: { code: "RUNNER_MEMORY", fields: { limitBytes: 400 * mb } },
  });
  expect(Math.max(...memory)).toBeLessThan(1_500 * mb);
});

test("RWT-1: a frozen runner is killed after its time-out; one whose user code never yields is not", async () => {
  const busy = await run("for (;;);");
  await expect.poll(() => busy.memory.length, { timeout: 20_000 }).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(busy.exits).toEqual([]);
  const from = performance.now();
  process.kill(busy.runner.pid ?? 0, "SIGSTOP");
  expect(await busy.ended).toMatchObject({
    signal: "SIGKILL",
    error: { code: "RUNNER_FROZEN", fields: { silentMs: 1_000 } },
  });
  expect(performance.now() - from).toBeGreaterThan(800);
});

test("RPR-2: a runner that can't be spoken to any more is killed", async () => {
  const entry = join(folder, "mute.mjs");
  await writeFile(entry, "process.disconnect(); setInterval(() => {}, 1_000);");
  const { ended } = await run(forever, { entry: pathToFileURL(entry) });
  expect(await ended).toMatchObject({ signal: "SIGKILL" });
});
