/** The daemon under a scripted JobManager: TMG-1, TMG-2, TMG-4, TMG-5, and commands that can't be read. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@millrace/base";
import type { AttemptMessage, DownMessage } from "@millrace/protocol";
import { openStore } from "@millrace/storage";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  leaderOf,
  type ScriptedJobManager,
  startScriptedJobManager,
} from "./job-manager.fixture.ts";
import { startTaskManager, type TaskManager, type TaskManagerOptions } from "./task-manager.ts";

const jobId = "b".repeat(32);
let folder = "";
let epoch = 5;
let leader: ScriptedJobManager;
let taskManager: TaskManager | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-tm-"));
  epoch = 5;
  leader = await startScriptedJobManager(leaderOf(() => epoch));
  const store = await openStore(join(folder, "store"));
  await store.put("job.mjs", Buffer.from("await new Promise((done) => setTimeout(done, 60_000));"));
  await store.close();
});
afterEach(async () => {
  await taskManager?.close();
  taskManager = undefined;
  leader.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<TaskManagerOptions> = {}): Promise<TaskManager> {
  taskManager = await startTaskManager({
    jobManagers: [leader.address],
    slots: 1,
    store: join(folder, "store"),
    host: "127.0.0.1",
    workDir: join(folder, "work"),
    logDir: join(folder, "logs"),
    metricsPort: 0,
    logger: silentLogger,
    id: "tm",
    ...options,
  });
  await expect.poll(() => leader.of("heartbeat").length, { timeout: 10_000 }).toBeGreaterThan(0);
  return taskManager;
}
const attemptOf = (ofEpoch: number, attempt = 1): AttemptMessage => ({
  jobId,
  epoch: ofEpoch,
  attempt,
});
const startRunner = (attempt: AttemptMessage): DownMessage => ({
  $case: "startRunner",
  value: {
    attempt,
    slots: [0],
    bundle: "job.mjs",
    parameters: '{"parameters":{}}',
    graphDigest: "",
    jobName: "job",
  },
});
const deploySlot = (attempt: AttemptMessage, tasks: string): DownMessage => ({
  $case: "deploySlot",
  value: { attempt, slot: 0, tasks, restore: "{}", options: "{}" },
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("TMG-4: a runner that can't be started is reported with its reason, at once; the daemon goes on", async () => {
  await writeFile(join(folder, "logs"), "a file where the folder should be");
  await start();
  leader.send(startRunner(attemptOf(5)));
  await expect.poll(() => leader.of("runnerExited").length).toBe(1);
  expect(leader.of("runnerExited")[0]).toMatchObject({ attempt: attemptOf(5), exitCode: -1 });
  expect(JSON.parse(leader.of("runnerExited")[0]?.error ?? "")).toMatchObject({
    code: "RUNNER_NOT_STARTED",
    fields: { code: "EEXIST" },
  });
  const beats = leader.of("heartbeat").length;
  await expect.poll(() => leader.of("heartbeat").length).toBeGreaterThan(beats);
  expect(taskManager?.runners()).toEqual([]);
  expect(leader.streams).toHaveLength(1);
});

test("TMG-1: commands of a lower epoch are dropped, of another attempt too", async () => {
  const daemon = await start();
  leader.send(startRunner(attemptOf(5, 2)));
  await expect.poll(() => daemon.runners().length).toBe(1);
  const pids = daemon.runners();
  leader.send(startRunner(attemptOf(4)));
  leader.send(startRunner(attemptOf(5, 2)));
  leader.send(deploySlot(attemptOf(5, 1), "no JSON"));
  leader.send(deploySlot(attemptOf(4, 2), "no JSON"));
  const stop = { reason: "canceled", graceMs: 0 };
  leader.send({ $case: "stopRunner", value: { ...stop, attempt: attemptOf(5, 1) } });
  await pause(300);
  expect(daemon.runners()).toEqual(pids);
  expect(leader.of("runnerExited")).toEqual([]);
  leader.send({ $case: "stopRunner", value: { ...stop, attempt: attemptOf(5, 2) } });
  await expect.poll(() => leader.of("runnerExited").length).toBe(1);
});

test("TMG-2: the first message of a higher epoch ends the runners of older ones, and what these say later is of no use", async () => {
  const daemon = await start();
  leader.send(startRunner(attemptOf(5)));
  await expect.poll(() => daemon.runners().length).toBe(1);
  epoch = 6;
  await expect
    .poll(() => leader.of("runnerExited"), { timeout: 5_000 })
    .toMatchObject([{ attempt: attemptOf(5), signal: "SIGKILL" }]);
  // The older leader wakes up and has not noticed.
  leader.send(startRunner(attemptOf(5, 2)));
  leader.send(startRunner(attemptOf(6, 3)));
  await expect.poll(() => daemon.runners().length).toBe(1);
  await pause(300);
  expect(daemon.runners()).toHaveLength(1);
  await expect.poll(() => leader.of("heartbeat").at(-1)?.runners).toEqual([{ ...attemptOf(6, 3) }]);
});

test("a deployment that can't be read ends its runner with RUNNER_BAD_COMMAND, and nothing else", async () => {
  const daemon = await start();
  leader.send(startRunner(attemptOf(5)));
  await expect.poll(() => daemon.runners().length).toBe(1);
  leader.send(deploySlot(attemptOf(5), '{"not": "a list"}'));
  await expect.poll(() => leader.of("runnerExited").length).toBe(1);
  expect(JSON.parse(leader.of("runnerExited")[0]?.error ?? "")).toMatchObject({
    code: "RUNNER_BAD_COMMAND",
    fields: { command: "deploySlot", slot: 0 },
  });
  expect(leader.streams).toHaveLength(1);
});

test("TMG-5: a runner's folder goes with it, its log stays and can be read; its memory is a metric while it lives", async () => {
  const daemon = await start();
  leader.send(startRunner(attemptOf(5)));
  const work = join(folder, "work", `${jobId}-5.1-tm`);
  await expect.poll(() => existsSync(join(work, "job.mjs")), { timeout: 20_000 }).toBe(true);
  const metrics = async () =>
    (await (await fetch(`http://${daemon.metricsAddress}/metrics`)).text())
      .split("\n")
      .filter((line) => line.startsWith("flink_taskmanager_job_runner_resident_memory_bytes{"));
  await expect.poll(async () => (await metrics()).length, { timeout: 5_000 }).toBe(1);
  expect(Number((await metrics())[0]?.split(" ").at(-1))).toBeGreaterThan(20_000_000);
  process.kill(daemon.runners()[0] ?? 0, "SIGKILL");
  await expect.poll(() => existsSync(work)).toBe(false);
  expect(await metrics()).toEqual([]);
  const [log = ""] = await readdir(join(folder, "logs"));
  expect(log).toBe(`${jobId}-5.1-tm.log`);
  await writeFile(join(folder, "logs", log), "one\ntwo\nthree\n");
  leader.send({ $case: "logsRequest", value: { requestId: "r", jobId, tailLines: 2 } });
  await expect.poll(() => leader.of("logsAnswer")).toMatchObject([{ text: "two\nthree" }]);
});

test("closing ends what runs, in time, though a runner is frozen", async () => {
  const daemon = await start();
  leader.send(startRunner(attemptOf(5)));
  await expect.poll(() => daemon.runners().length).toBe(1);
  process.kill(daemon.runners()[0] ?? 0, "SIGSTOP");
  await daemon.close();
  taskManager = undefined;
  expect(daemon.runners()).toEqual([]);
  expect(existsSync(join(folder, "work", `${jobId}-5.1-tm`))).toBe(false);
});
