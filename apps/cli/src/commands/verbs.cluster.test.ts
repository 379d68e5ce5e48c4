/**
 * VRB-1  With `--json` standard output is one JSON document, or empty when there is an error, which is then the last line of standard error;
 *        warnings are inside.
 * VRB-2  A signal ends a command with 128 + its number and a word of what holds now.
 * VRB-3  A job is found by its name, its id, or the beginning of its id; what is not found is told with what is nearest.
 * VRB-4  On a terminal a command says what it is doing, in a line that is gone at the end.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, type Started, startMillrace } from "../local/test-processes.fixture.ts";
import { createProgram } from "../program.ts";

const main = join(import.meta.dirname, "../main.ts");
const millraceIndex = join(import.meta.dirname, "../../../../packages/millrace/src/index.ts");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-verbs-")));
const env: Record<string, string> = {};
let rest = "";
const start = (...args: readonly string[]): Started => startMillrace(folder, args, env);
const millrace = (...args: readonly string[]): Promise<Ended> => start(...args).ended;

beforeAll(async () => {
  const job = (name: string, body: string) =>
    writeFileSync(
      join(folder, `${name}.mjs`),
      `import { defineJob, generatorSource, Watermarks } from ${JSON.stringify(millraceIndex)};
export default defineJob({ name: ${JSON.stringify(name)}, restart: { strategy: "none" } }, (env) => {
  ${body}
});
`,
    );
  // An operator without a uid: a warning.
  job("bounded", `console.log("built"); env.fromCollection([1, 2]).map((n) => n).print();`);
  job(
    "endless",
    `env.fromSource(generatorSource({ create: (i) => i, ratePerSec: 50 }), Watermarks.none()).uid("n").print().uid("out");`,
  );
  job(
    "broken",
    `env.fromCollection([1]).uid("one").map(() => { throw new Error("no"); }).uid("m").print();`,
  );
  const up = await millrace("local", "up", "--port", "0", "-t", "2", "--json");
  rest = (JSON.parse(up.stdout) as { rest: string }).rest;
  env["MILLRACE_JOBMANAGER"] = rest;
}, 60_000);
afterAll(async () => {
  await millrace("local", "down");
  rmSync(folder, { recursive: true, force: true });
});

/** Its one JSON document. */
async function json(code: number, ...args: readonly string[]): Promise<unknown> {
  const { stdout, stderr, code: was } = await millrace(...args, "--json");
  expect(was, stdout + stderr).toBe(code);
  return JSON.parse(stdout);
}

const submitted = async (name: string) =>
  ((await json(0, "submit", "endless.mjs", "--name", name)) as { jobId: string }).jobId;
async function running(id: string): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const { job } = (await json(0, "show", id)) as { job: { state: string } };
    if (job.state === "RUNNING") return;
  }
  throw new Error("it does not run");
}

test("VRB-1: every verb that has --json gives one document", { timeout: 120_000 }, async () => {
  const id = await submitted("watched");
  await running(id);
  const documents: Readonly<Record<string, readonly [args: readonly string[], like: object]>> = {
    run: [["bounded.mjs"], { job: "bounded", state: "FINISHED", warnings: expect.any(Array) }],
    plan: [["bounded.mjs"], {}],
    submit: [["bounded.mjs", "--wait"], { jobName: "bounded", state: "FINISHED" }],
    list: [[], expect.arrayContaining([expect.objectContaining({ jid: id })])],
    show: [[id], { job: { jid: id }, watermarks: expect.any(Object) }],
    checkpoints: [[id, "--trigger"], { latest: { completed: { status: "COMPLETED" } } }],
    logs: [[id], { jobId: id }],
    cancel: [[id], { jobId: id, state: "CANCELED" }],
    "local up": [["--dir", "other", "--port", "0", "-t", "1"], { processes: expect.any(Array) }],
    "local status": [["--dir", "other"], { overview: { taskmanagers: 1 } }],
    "local down": [["--dir", "other"], { stopped: expect.arrayContaining(["jobmanager"]) }],
    gc: [[id, "--store", ".millrace/store", "--dry-run"], {}],
  };
  const verbs = createProgram().commands.flatMap((command) =>
    [command, ...command.commands]
      .filter((each) => each.options.some(({ long }) => long === "--json"))
      .map((each) => (each === command ? each.name() : `${command.name()} ${each.name()}`)),
  );
  expect(Object.keys(documents).sort()).toEqual(verbs.sort());
  for (const [verb, [args, like]] of Object.entries(documents)) {
    const document = await json(0, ...verb.split(" "), ...args);
    if (Array.isArray(document)) expect(document).toEqual(like);
    else expect(document, verb).toMatchObject(like);
  }
});

test("VRB-1: what a job prints, and its warnings, are not on standard output", async () => {
  const { stdout, stderr } = await millrace("run", "bounded.mjs", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ warnings: [expect.any(String)] });
  expect([...new Set(stderr.split("\n"))].sort()).toEqual(["", "1> 1", "1> 2", "built"]);
});

test.each([
  [1, ["run", "broken.mjs"], "USER_CODE_THREW"],
  [1, ["submit", "broken.mjs", "--wait"], "CLI_JOB_FAILED"],
  [2, ["show", "nothing"], "CLI_JOB_NOT_FOUND"],
  [2, ["run", "nothing.ts"], "CLIENT_NO_SUCH_FILE"],
] as const)(
  "VRB-1: exit code %i of %j comes with an error that can be parsed",
  async (code, args, error) => {
    const { stdout, stderr, code: was } = await millrace(...args, "--json");
    expect(was, stderr).toBe(code);
    const last = stderr.trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ error: { code: error }, warnings: [] });
    if (args[0] === "submit") expect(JSON.parse(stdout)).toMatchObject({ state: "FAILED" });
    else expect(stdout).toBe("");
  },
);

/** Resolves when the command has written that. */
function said(command: Started, text: string): Promise<void> {
  return new Promise((resolve) => {
    let all = "";
    command.child.stdout?.on("data", (chunk: Buffer) => {
      all += chunk.toString("utf8");
      if (all.includes(text)) resolve();
    });
  });
}

test("VRB-2: Ctrl-C of run cancels the job", async () => {
  const run = start("run", "endless.mjs");
  await said(run, "1> 3\n");
  run.child.kill("SIGINT");
  const { code, stderr } = await run.ended;
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: "interrupted by SIGINT: the job was cancelled\n",
  });
});

test("VRB-2: Ctrl-C of submit --wait leaves the job, and says how to cancel it", async () => {
  const wait = start("submit", "endless.mjs", "--name", "left", "--wait");
  await said(wait, "submitted left as ");
  wait.child.kill("SIGINT");
  const { code, stdout, stderr } = await wait.ended;
  const id = /as ([0-9a-f]{32})\n/.exec(stdout)?.[1] ?? "";
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: `interrupted by SIGINT: the job goes on; millrace cancel ${id} --jobmanager ${rest}\n`,
  });
  await running(id);
  expect((await millrace("cancel", id)).code).toBe(0);
});

test("VRB-2: submit --wait of a job that is cancelled meanwhile exits 1 without blaming anything", async () => {
  const wait = start("submit", "endless.mjs", "--name", "doomed", "--wait");
  await said(wait, "submitted doomed as ");
  expect((await millrace("cancel", "doomed")).code).toBe(0);
  const { code, stdout, stderr } = await wait.ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/^doomed [0-9a-f]{32} CANCELED$/m);
  expect(stderr).toContain("state: CANCELED");
  expect(stderr).not.toContain("  cause:");
});

test("VRB-3: a job by name, by id, by the beginning of its id, and by none of them", async () => {
  const id = await submitted("sought");
  for (const name of ["sought", id, id.slice(0, 12)])
    expect(await json(0, "show", name)).toMatchObject({ job: { jid: id } });
  const { code, stderr } = await millrace("show", "sougth");
  expect(code).toBe(2);
  expect(stderr).toContain("nearest: sought");
  await running(id);
  const { stdout } = await millrace("show", "sought");
  expect(stdout).toMatch(/BUSY +IDLE +BACKPRESSURED +WATERMARK/);
  await millrace("cancel", id);
});

test("VRB-4: on a terminal run and local up show what they do", async (context) => {
  if (spawnSync("script", ["--version"]).status !== 0)
    return context.skip("there is no `script` that gives a command a terminal");
  const onTerminal = (line: string) =>
    new Promise<string>((resolve) => {
      const child = spawn(
        "script",
        ["-qec", `"${process.execPath}" "${main}" ${line}`, "/dev/null"],
        {
          cwd: folder,
          env: { ...process.env, ...env, TERM: "xterm" },
          stdio: ["ignore", "pipe", "ignore"],
        },
      );
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
      });
      child.on("close", () => resolve(text));
    });
  const run = await onTerminal("run bounded.mjs --no-check");
  expect(run).toContain("\r\x1b[Kbuild …");
  expect(run).toContain("\r\x1b[Krunning bounded …");
  expect(run).toContain("1> 1\r\n1> 2\r\n");
  const up = await onTerminal("local up --dir third --port 0 -t 1");
  for (const step of ["starting the JobManager", "starting 1 TaskManagers", "waiting for 2 slots"])
    expect(up).toContain(`\r\x1b[K${step} …`);
  expect(up).toMatch(/\r\x1b\[Kup: http/);
  await millrace("local", "down", "--dir", "third");
});
