/** What ends `local up` on its way, and what it says of a cluster that is half dead. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  canSeeProcesses,
  type Ended,
  processesOf,
  type Started,
  startMillrace,
} from "./test-processes.fixture.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-local-")));
});
afterEach(async () => {
  await millrace("local", "down");
  for (const pid of processesOf(folder)) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const millrace = (...args: readonly string[]): Promise<Ended> => startMillrace(folder, args).ended;
const startUp = (): Started => startMillrace(folder, ["local", "up", "--port", "0"]);
const inDir = (name: string) => join(folder, ".millrace", name);

interface Cluster {
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}
const cluster = () => JSON.parse(readFileSync(inDir("cluster.json"), "utf8")) as Cluster;

/** Moments of `up`, early to late: what can be seen from outside when they have come. */
const moments: Readonly<Record<string, () => boolean>> = {
  "as soon as it has the directory": () => existsSync(inDir("cluster.json")),
  "when the JobManager was made": () =>
    existsSync(inDir("cluster.json")) && cluster().processes.length === 1,
  "when the JobManager listens": () => existsSync(inDir("jobmanager.ready")),
  "when the TaskManagers were made": () =>
    existsSync(inDir("cluster.json")) && cluster().processes.length === 3,
  "when a TaskManager is ready": () => existsSync(inDir("taskmanager-1.ready")),
};

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !holds(); ) {
    if (Date.now() > end) throw new Error("the moment did not come");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** `up`, whose second TaskManager stands still as soon as it is named until it is let go: what comes before its end is not missed. */
function startHeld(): Started & { readonly letGo: () => void } {
  const up = startUp();
  let held: number | undefined;
  const timer = setInterval(() => {
    held = existsSync(inDir("cluster.json")) ? cluster().processes[2]?.pid : undefined;
    if (held === undefined) return;
    process.kill(held, "SIGSTOP");
    clearInterval(timer);
  }, 1);
  const letGo = () => {
    clearInterval(timer);
    if (held !== undefined && isAlive(held)) process.kill(held, "SIGCONT");
  };
  void up.ended.then(letGo);
  return { ...up, letGo };
}
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.each(Object.entries(moments))("LOC-2: Ctrl-C %s leaves nothing", async (_name, hasCome) => {
  const up = startHeld();
  await until(hasCome);
  up.child.kill("SIGINT");
  // Once more, as impatient people do.
  up.child.kill("SIGINT");
  up.letGo();
  const { code, stdout, stderr } = await up.ended;
  expect({ code, stdout, stderr }).toEqual({
    code: 130,
    stdout: "",
    stderr: "interrupted by SIGINT: what was started has been stopped\n",
  });
  expect(processesOf(folder)).toEqual([]);
  expect(existsSync(inDir("cluster.json"))).toBe(false);
});

test.each(Object.entries(moments))(
  "LOC-1: after kill -9 %s, down stops what is there",
  async (_name, hasCome) => {
    const up = startUp();
    await until(hasCome);
    up.child.kill("SIGKILL");
    await up.ended;
    expect(await millrace("local", "down")).toMatchObject({ code: 0, stderr: "" });
    expect(processesOf(folder)).toEqual([]);
  },
);

test("LOC-2: down while it starts ends the start", async () => {
  const up = startHeld();
  await until(() => existsSync(inDir("taskmanager-1.ready")));
  const first = cluster().processes[1]?.pid ?? 0;
  const down = millrace("local", "down");
  await until(() => !isAlive(first));
  up.letGo();
  expect((await down).code).toBe(0);
  expect((await up.ended).code).toBe(143);
  expect(processesOf(folder)).toEqual([]);
});

test("LOC-3: of several at once one starts, the others say so", async () => {
  const ups = await Promise.all([startUp(), startUp(), startUp()].map(({ ended }) => ended));
  expect(ups.map(({ code }) => code).sort()).toEqual([0, 2, 2]);
  for (const { code, stderr } of ups)
    if (code === 2) expect(stderr).toContain("error CLI_ALREADY_UP");
  // Three daemons; runners come with jobs.
  expect(processesOf(folder)).toHaveLength(canSeeProcesses ? 3 : 0);
  expect((await millrace("local", "down")).code).toBe(0);
  expect(processesOf(folder)).toEqual([]);
});

test.each([
  [
    "the JobManager",
    () => writeFileSync(inDir("store"), "no folder"),
    /process: jobmanager\n[\s\S]*ended: 2\n +output:\n +error CLI_BAD_ARGUMENT: [\s\S]*argument: store/,
  ],
  [
    "a TaskManager",
    () => mkdirSync(inDir("taskmanager-2.ready.new")),
    /process: taskmanager-2\n[\s\S]*ended: 1\n +output:\n +error INTERNAL_ERROR: .*EISDIR/,
  ],
])("LOC-2: %s that does not start is quoted, and nothing stays", async (_who, spoil, text) => {
  mkdirSync(inDir(""), { recursive: true });
  spoil();
  const { code, stderr } = await startUp().ended;
  expect([code, stderr]).toEqual([1, expect.stringContaining("error CLI_START_FAILED")]);
  expect(stderr).toMatch(text);
  expect(processesOf(folder)).toEqual([]);
  expect(existsSync(inDir("cluster.json"))).toBe(false);
});

test("a cluster without its JobManager is called so by status and by up, with the way out", async () => {
  const dir = ["--dir", "here it is"];
  const up = await millrace("local", "up", "--port", "0", "-t", "1", ...dir);
  expect(up.stdout).toContain("stop: millrace local down --dir 'here it is'");
  expect((await millrace("local", "status", ...dir)).code).toBe(0);
  const again = await millrace("local", "up", "--port", "0", ...dir);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("stop: millrace local down --dir 'here it is'");
  const { processes } = JSON.parse(
    readFileSync(join(folder, "here it is/cluster.json"), "utf8"),
  ) as Cluster;
  const pid = processes.find(({ name }) => name === "jobmanager")?.pid ?? 0;
  process.kill(pid, "SIGKILL");
  const status = await millrace("local", "status", ...dir);
  expect(status.code).toBe(1);
  expect(status.stdout).toMatch(/jobmanager +\d+ +ended/);
  expect(status.stderr).toContain("error CLI_CLUSTER_BROKEN");
  const json = await millrace("local", "status", "--json", ...dir);
  expect(JSON.parse(json.stdout)).toMatchObject({ overview: null });
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "CLI_CLUSTER_BROKEN" } });
  const third = await millrace("local", "up", "--port", "0", ...dir);
  expect(third.code).toBe(1);
  expect(third.stderr).toContain("error CLI_CLUSTER_BROKEN");
  expect(third.stderr).toContain("stop: millrace local down --dir 'here it is'");
  expect((await millrace("local", "down", ...dir)).code).toBe(0);
  expect((await millrace("local", "up", "--port", "0", "-t", "1", ...dir)).code).toBe(0);
  expect((await millrace("local", "down", ...dir)).code).toBe(0);
  expect((await millrace("local", "status", ...dir)).stderr).toContain(
    "start: millrace local up --dir 'here it is'",
  );
});
