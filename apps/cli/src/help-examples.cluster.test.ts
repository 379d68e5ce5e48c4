/**
 * Every example in every command's help, run.
 *
 * HLP-1  Every command has an example.
 * HLP-2  Every example does what it shows, in a folder with the repository's examples in it: exit code 0.
 * HLP-3  Nothing that an example started is left when the cluster is down.
 *
 * Ports are the only thing that is added: the usual ones may be taken.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createProgram } from "./program.ts";

const repository = join(import.meta.dirname, "../../..");
const main = join(import.meta.dirname, "main.ts");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-help-")));
const env: Record<string, string> = {
  PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
  MILLRACE_TEST_FOLDER: folder,
  MILLRACE_TEST_RUN: process.env["MILLRACE_TEST_RUN"] ?? "",
  NODE_COMPILE_CACHE: join(folder, "compiled"),
};
let restPort = 0;
let controlPort = 0;

interface Ended {
  readonly code: number | null;
  readonly text: string;
}
interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}
interface Example {
  readonly command: string;
  readonly line: string;
}

/** "" for the program itself, "local up" for a command of a command. */
const commandsOf = (
  command: ReturnType<typeof createProgram>,
  path: readonly string[] = [],
): readonly string[] => [
  path.join(" "),
  ...command.commands.flatMap((sub) => commandsOf(sub, [...path, sub.name()])),
];
const commands = commandsOf(createProgram());
const examples: Example[] = [];

beforeAll(async () => {
  for (const example of ["word-count", "departure-delays"])
    cpSync(join(repository, "examples", example), join(folder, "examples", example), {
      recursive: true,
      filter: (path) => !path.includes("node_modules"),
    });
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  for (const [name, path] of [
    ["millrace", "packages/millrace"],
    ["typescript", "node_modules/typescript"],
    ["@types/node", "node_modules/@types/node"],
  ] as const)
    symlinkSync(realpathSync(join(repository, path)), join(folder, "node_modules", name));
  mkdirSync(join(folder, "bin"));
  writeFileSync(
    join(folder, "bin/millrace"),
    `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`,
    { mode: 0o755 },
  );
  writeFileSync(
    join(folder, "endless.mjs"),
    `import { defineJob, generatorSource, Watermarks } from "millrace";
export default defineJob("endless", (env) => {
  const source = generatorSource({ create: (i) => i, ratePerSec: 10 });
  env.fromSource(source, Watermarks.none()).uid("numbers").print().uid("out");
});
`,
  );
  restPort = await freePort();
  controlPort = await freePort();
  env["MILLRACE_JOBMANAGER"] = `http://127.0.0.1:${restPort}`;
  for (const command of commands) {
    const { code, text } = await sh(`millrace ${command} --help`);
    expect(code, text).toBe(0);
    examples.push(
      ...[...text.matchAll(/^ {2}\$ (millrace .*)$/gm)].map((match) => ({
        command,
        line: match[1] ?? "",
      })),
    );
  }
});

afterAll(async () => {
  await down();
  rmSync(folder, { recursive: true, force: true });
});

test("HLP-1: every command has an example, and it is one of that command", () => {
  expect(commands.length).toBeGreaterThan(12);
  expect(
    commands.filter(
      (command) =>
        !examples.some(
          (example) =>
            example.command === command && `${example.line} `.startsWith(`millrace ${command}`),
        ),
    ),
  ).toEqual([]);
});

test("HLP-2: what needs no cluster", async () => {
  for (const line of linesOf("", "help", "run", "plan")) await succeeds(line);
});

test("HLP-2: a local cluster, and jobs on it", async () => {
  for (const line of linesOf("local up")) {
    await down();
    await succeeds(line.includes("--port") ? line : `${line} --port ${restPort}`);
    expect((await sh("millrace local status")).text).toContain("running");
  }
  await down();
  await up();
  for (const line of linesOf("local status", "submit", "list")) await succeeds(line);
  for (const line of linesOf("show", "checkpoints", "logs", "cancel")) {
    await wordCountRuns();
    await succeeds(line);
  }
  for (const line of linesOf("local down")) {
    await up();
    await succeeds(line);
  }
});

test("HLP-2: daemons in the foreground, and garbage in their store", async () => {
  await down();
  let ended = "";
  for (const line of linesOf("jobmanager")) {
    const jobManager = start(`${line} --rest-port ${restPort} --control-port ${controlPort}`);
    await until("the JobManager listens", async () => (await sh("millrace list")).code === 0);
    for (const taskManagerLine of linesOf("taskmanager")) {
      const address = `127.0.0.1:${controlPort}`;
      const taskManager = start(taskManagerLine.replace("127.0.0.1:6123", address));
      await until("the TaskManager is registered", async () => {
        const overview = await fetch(`${env["MILLRACE_JOBMANAGER"]}/v1/overview`);
        return ((await overview.json()) as { readonly taskmanagers: number }).taskmanagers === 1;
      });
      const { text } = await sh("millrace submit examples/word-count/job.ts --wait --json");
      ended = /"jobId":"([0-9a-f]{32})"/.exec(text)?.[1] ?? "";
      expect(ended, text).not.toBe("");
      await stop(taskManager);
    }
    await stop(jobManager);
  }
  for (const line of linesOf("gc")) await succeeds(line.replace("0".repeat(32), ended));
});

test("HLP-2: none was left out", () => {
  expect([...ran].sort()).toEqual([...new Set(examples.map(({ line }) => line))].sort());
});

test("HLP-3: nothing is left", async () => {
  await down();
  await until("all have ended", async () => processesOfThisTest().length === 0);
});

const ran = new Set<string>();
function linesOf(...wanted: readonly string[]): readonly string[] {
  const lines = examples.filter(({ command }) => wanted.includes(command)).map(({ line }) => line);
  for (const line of lines) ran.add(line);
  return lines;
}

async function succeeds(line: string): Promise<void> {
  const { code, text } = await sh(line);
  expect(code, `${line}\n${text}`).toBe(0);
}
async function up(): Promise<void> {
  if (!existsSync(join(folder, ".millrace/cluster.json")))
    await succeeds(`millrace local up --port ${restPort}`);
}
async function down(): Promise<void> {
  if (existsSync(join(folder, ".millrace/cluster.json"))) await succeeds("millrace local down");
}
/** The examples speak of a job of that name that has not ended. */
async function wordCountRuns(): Promise<void> {
  const running = async () => {
    const { text } = await sh("millrace list --running --json");
    return (JSON.parse(text) as readonly { name: string; state: string }[]).filter(
      ({ name, state }) => name === "word-count" && state !== "CANCELLING",
    );
  };
  if ((await running()).length === 0)
    await succeeds("millrace submit endless.mjs --name word-count");
  await until("word-count runs", async () =>
    (await running()).some(({ state }) => state === "RUNNING"),
  );
}

/** A shell line in the folder. The shell is replaced by the command, so that a signal reaches it. */
function start(line: string): Running {
  const child = spawn("sh", ["-c", `exec ${line}`], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => resolve({ code, text }));
  });
  return { child, ended };
}
const sh = (line: string): Promise<Ended> => start(line).ended;

async function stop(running: Running): Promise<void> {
  running.child.kill("SIGTERM");
  const { code, text } = await running.ended;
  expect(code, text).toBe(0);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whatever was started from here has inherited a variable of its own. Linux alone shows the environment of others. */
function processesOfThisTest(): readonly string[] {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/environ`, "utf8").includes(`MILLRACE_TEST_FOLDER=${folder}\0`)
      );
    } catch {
      return false;
    }
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
