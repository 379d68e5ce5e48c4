import { appendFile, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunnerLogs } from "./runner-logs.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-logs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const jobId = "5".repeat(32);
const logsOf = (limits = {}) => new RunnerLogs({ folder, taskManagerId: "tm-1", ...limits });
const write = (epoch: number, attempt: number, text: string, tail = "") =>
  writeFile(join(folder, `${jobId}-${epoch}.${attempt}-tm-1.log${tail}`), text);

test("LOG-1: a log beyond its bound keeps what is newest, in two files; another TaskManager's is left alone", async () => {
  const logs = logsOf({ maxFileBytes: 1_000 });
  const file = logs.begin({ jobId, epoch: 1, attempt: 1 });
  await writeFile(join(folder, `${jobId}-1.1-tm-2.log`), "x".repeat(5_000));
  for (let i = 0; i < 100; i++) {
    await appendFile(file, `line ${i} ${"x".repeat(100)}\n`);
    await logs.look();
  }
  expect((await stat(file)).size).toBeLessThanOrEqual(1_000);
  expect((await stat(`${file}.1`)).size).toBeLessThanOrEqual(1_200);
  const tail = await logs.tail(jobId, 10);
  expect(tail.split("\n").map((line) => Number(line.split(" ")[1]))).toEqual(
    Array.from({ length: 10 }, (_, i) => 90 + i),
  );
  expect((await stat(join(folder, `${jobId}-1.1-tm-2.log`))).size).toBe(5_000);
});

test("LOG-2: of a job the newest attempts stay, in the order of their numbers, and those that run", async () => {
  const logs = logsOf({ keptAttempts: 3 });
  for (const attempt of [1, 2, 9, 10, 11]) await write(2, attempt, `attempt ${attempt}\n`);
  await write(2, 10, "older\n", ".1");
  await writeFile(join(folder, "something-else.txt"), "mine");
  logs.begin({ jobId, epoch: 2, attempt: 1 });
  await logs.look();
  const left = (await readdir(folder)).map((name) => name.slice(jobId.length)).sort();
  expect(left).toEqual(
    [
      "-2.1-tm-1.log",
      "-2.10-tm-1.log",
      "-2.10-tm-1.log.1",
      "-2.11-tm-1.log",
      "-2.9-tm-1.log",
      "something-else.txt".slice(jobId.length),
    ].sort(),
  );
  expect(await logs.tail(jobId, 4)).toBe("attempt 9\nolder\nattempt 10\nattempt 11");
  logs.end({ jobId, epoch: 2, attempt: 1 });
  await logs.look();
  expect(await readdir(folder)).not.toContain(`${jobId}-2.1-tm-1.log`);
});

test("LOG-2: of all jobs together the newest files stay", async () => {
  for (let epoch = 1; epoch <= 20; epoch++)
    await writeFile(
      join(folder, `${String(epoch).padStart(32, "0")}-${epoch}.1-tm-1.log`),
      "a line\n",
    );
  await logsOf({ keptFiles: 5 }).look();
  expect((await readdir(folder)).map((name) => Number(name.slice(0, 32))).sort()).toEqual([
    16, 17, 18, 19, 20,
  ]);
});

test("LOG-3: a tail of a large log reads its end and begins with a whole line; no folder, no lines", async () => {
  const line = `${"y".repeat(99)}\n`;
  await write(1, 1, line.repeat(100_000));
  const tail = await logsOf().tail(jobId, 1_000_000);
  expect(tail.length).toBeLessThanOrEqual(4 * 1024 * 1024);
  expect(tail.length).toBeGreaterThan(4_000_000);
  expect(tail.split("\n")[0]).toHaveLength(99);
  expect(await logsOf().tail(jobId, 2)).toBe(`${line}${line}`.trimEnd());
  expect(await logsOf().tail("no such job", 5)).toBe("");
  await rm(folder, { recursive: true });
  expect(await logsOf().tail(jobId, 5)).toBe("");
});
