/** `npm run quickstart` as a user runs it, without the set-up: real processes, a real kill, the verdict, and nothing left over. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".millrace/quickstart");
const started: ReturnType<typeof start>[] = [];

function start(): {
  readonly pid: number;
  readonly ended: Promise<{ code: number | null; text: string }>;
  text(): string;
} {
  const child = spawn(process.execPath, [join(root, "scripts/quickstart.ts")], {
    cwd: root,
    detached: true,
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<{ code: number | null; text: string }>((done) =>
    child.on("close", (code) => done({ code, text })),
  );
  const run = { pid: child.pid ?? 0, ended, text: () => text };
  started.push(run);
  return run;
}

async function untilSaid(run: ReturnType<typeof start>, words: string): Promise<void> {
  for (let i = 0; i < 600 && !run.text().includes(words); i++) await sleep(50);
  expect(run.text()).toContain(words);
}

/** Pids of the daemons that a run announced. */
const daemonsOf = (text: string): readonly number[] =>
  [...text.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]));
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(
      existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "",
    );
  } catch {
    return false;
  }
}

afterEach(async () => {
  for (const run of started.splice(0)) {
    if (isAlive(run.pid)) process.kill(run.pid, "SIGINT");
    await run.ended;
  }
});

test("QST-2 QST-3: the job survives a killed TaskManager, in under 60 s, and the verdict is right", async () => {
  const began = performance.now();
  const { code, text } = await start().ended;
  expect(text).toMatch(/kill -9 \d+: TaskManager local-\d, which runs [1-9]/);
  expect(text).toMatch(/noticed after +\d/);
  expect(text).toMatch(/running again +\d.* from checkpoint [1-9]/);
  expect(text).toMatch(/finished: \d+ checkpoints, 1 restart/);
  expect(text).toMatch(/right: 26483 flights, each counted once/);
  expect(text).toMatch(/\(0 of them fired again\)/);
  expect(text).toMatch(
    /the same check calls it wrong as soon as one line is removed, doubled or altered/,
  );
  expect(text).toMatch(/RIGHT: nothing lost/);
  // Where it lies, how to edit and run it again, the address, how to stop.
  expect(text).toMatch(
    /^the job +examples\/departure-delays\/job\.ts: edit it and run this again$/m,
  );
  expect(text).toMatch(/^its results +\.millrace\/quickstart\/output\/delays and …\/late$/m);
  expect(text).toMatch(/npm run millrace -- run examples\/departure-delays\/job\.ts --set output=/);
  expect(text).toMatch(
    /^the cluster +was at http:\/\/127\.0\.0\.1:\d+ and is being stopped; .* -- --keep /m,
  );
  expect(text).toMatch(/npm run millrace -- local up +then REST is at http:/);
  expect(text).toMatch(/npm run millrace -- submit examples\/departure-delays\/job\.ts --wait/);
  expect(text).toMatch(/npm run millrace -- local down +stops it$/m);
  expect(code).toBe(0);
  expect(performance.now() - began).toBeLessThan(60_000);
  expect(daemonsOf(text)).toHaveLength(3);
  expect(daemonsOf(text).filter(isAlive)).toEqual([]);
});

test("QST-1: Ctrl-C while the job runs ends everything, a second run meanwhile is refused", async () => {
  const run = start();
  await untilSaid(run, "2. the job");
  const second = await start().ended;
  expect(second.text).toMatch(/running in this folder already/);
  expect(second.code).toBe(1);
  await untilSaid(run, "RUNNING");
  process.kill(-run.pid, "SIGINT");
  const { code, text } = await run.ended;
  expect(code).toBe(130);
  expect(daemonsOf(text).filter(isAlive)).toEqual([]);
});

test("QST-1: the next run ends what a killed run left", async () => {
  const killed = start();
  await untilSaid(killed, "2. the job");
  const orphans = daemonsOf(killed.text());
  process.kill(killed.pid, "SIGKILL");
  await killed.ended;
  expect(orphans.filter(isAlive)).toHaveLength(3);
  const next = start();
  await untilSaid(next, "2. the job");
  expect(orphans.filter(isAlive)).toEqual([]);
  process.kill(-next.pid, "SIGINT");
  const { text } = await next.ended;
  expect(daemonsOf(text).filter(isAlive)).toEqual([]);
  expect(existsSync(join(folder, "cluster.json"))).toBe(false);
});
