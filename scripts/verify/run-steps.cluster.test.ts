import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startTimeOf } from "../processes.ts";

interface Run {
  readonly pid: number;
  readonly ended: Promise<number | null>;
  text(): string;
}
const started: Run[] = [];
const folder = mkdtempSync(join(tmpdir(), "millrace-run-"));

/** In a process group of its own, as a shell does. */
function start(): Run {
  const script = join(import.meta.dirname, "local-up.fixture.ts");
  const child = spawn(process.execPath, [script, folder], { detached: true });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.on("exit", (code) => done(code)));
  const run = { pid: child.pid ?? 0, ended, text: () => text };
  started.push(run);
  return run;
}

/** Pids of the JobManager and the TaskManager, once both are up. */
async function daemonsOf(run: Run): Promise<readonly number[]> {
  await expect.poll(run.text, { timeout: 60_000, interval: 50 }).toMatch(/"processes":\[.*\]\}/);
  return [...run.text().matchAll(/"pid":(\d+)/g)].map((match) => Number(match[1]));
}
const alive = (pids: readonly number[]): readonly number[] =>
  pids.filter((pid) => startTimeOf(pid) !== undefined);

afterEach(async () => {
  for (const run of started.splice(0)) {
    if (startTimeOf(run.pid) !== undefined) process.kill(run.pid, "SIGTERM");
    await run.ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "VER-5 RUN-1: after %s no daemon is left of those that the tests started",
  async (signal) => {
    const run = start();
    const daemons = await daemonsOf(run);
    expect(alive(daemons)).toHaveLength(2);
    process.kill(signal === "SIGINT" ? -run.pid : run.pid, signal);
    expect(await run.ended).toBe(signal === "SIGINT" ? 130 : 143);
    expect(alive(daemons)).toEqual([]);
    expect(run.text()).toContain("every process that was started has been ended");
  },
);

test("VER-5 RUN-2: what a killed run left is ended by the next one, which leaves a living run alone", async () => {
  const killed = start();
  const orphans = await daemonsOf(killed);
  process.kill(killed.pid, "SIGKILL");
  await killed.ended;
  expect(alive(orphans)).toHaveLength(2);
  rmSync(folder, { recursive: true, force: true });
  const next = start();
  const daemons = await daemonsOf(next);
  expect(alive(orphans)).toEqual([]);
  expect(next.text()).toMatch(/^ended \d+ process\(es\) of a run that was killed/);
  const third = start();
  await expect.poll(third.text, { timeout: 60_000, interval: 50 }).toContain("CLI_ALREADY_UP");
  expect(alive(daemons)).toHaveLength(2);
});
