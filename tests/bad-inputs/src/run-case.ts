/** One bad input: a fresh directory, the command in it, and what it said, did and left behind. */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

export interface Case {
  /** After `millrace`. `{port}` is a port that is taken, `{free}` one that nobody listens on, `{rest}` a JobManager's address. */
  readonly args: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 2: the caller can mend it. */
  readonly exit?: number;
  /** What the text must hold whatever the golden file says: the code first, then what it names. */
  readonly says: readonly string[];
  /** The command may try to listen: it can't know otherwise that a port is taken. */
  readonly listens?: true;
}
export interface Outcome {
  readonly command: string;
  readonly exitCode: number | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}
export interface Watched {
  readonly outcome: Outcome;
  /** Files that were not there before, in the working directory and the one for temporary files. */
  readonly made: readonly string[];
  /** Servers, processes, threads and writes; the type checker, the bundler and temporary files are allowed. */
  readonly did: readonly string[];
  readonly alive: readonly number[];
}
export interface World {
  readonly root: string;
  readonly values: Readonly<Record<"port" | "free" | "rest", string>>;
}

const repository = join(import.meta.dirname, "../../..");
export const main = join(repository, "apps/cli/src/main.ts");
const recorder = pathToFileURL(join(import.meta.dirname, "recorder.fixture.ts")).href;
const timeoutMs = 60_000;
const mayStart = new Set(["tsc", "esbuild"]);

/** What a project of a user has: the package, a compiler, Node's types. */
export function prepareWorld(root: string): string {
  mkdirSync(join(root, "node_modules/@types"), { recursive: true });
  for (const [name, path] of [
    ["millrace", "packages/millrace"],
    ["typescript", "node_modules/typescript"],
    ["@types/node", "node_modules/@types/node"],
  ] as const)
    symlinkSync(realpathSync(join(repository, path)), join(root, "node_modules", name));
  return root;
}

export async function runCase(name: string, given: Case, world: World): Promise<Watched> {
  const cwd = join(world.root, name);
  const temporary = join(world.root, `${name}.tmp`);
  const log = join(world.root, `${name}.record`);
  mkdirSync(cwd);
  mkdirSync(temporary);
  for (const [path, text] of Object.entries(given.files ?? {})) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
  const before = new Set(filesBelow(cwd));
  const fill = (text: string) =>
    text.replace(/\{(port|free|rest)\}/g, (_, key: keyof World["values"]) => world.values[key]);
  const { exitCode, stdout, stderr } = await run(given.args.map(fill), cwd, {
    ...given.env,
    TMPDIR: temporary,
    MILLRACE_RECORD: log,
    // Two hundred starts of one program: half of each would be spent on parsing it.
    NODE_COMPILE_CACHE: join(world.root, "compiled"),
  });
  const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  const acts = lines.map((line) => line.split("\t"));
  if (acts[0]?.[0] !== "start") throw new Error("the recorder was not loaded");
  const clean = (text: string): readonly string[] => {
    const known = text
      .replaceAll(temporary, "<tmp>")
      .replaceAll(cwd, "<cwd>")
      .replaceAll(world.root, "<project>")
      .replaceAll(repository, "<repository>")
      .replaceAll(/millrace-(submit|check)-\w{6}/g, "millrace-$1-*");
    const filled = Object.entries(world.values).reduce(
      (done, [key, value]) => done.replaceAll(value, `<${key}>`),
      known,
    );
    return filled === "" ? [] : filled.replace(/\n$/, "").split("\n");
  };
  const watched: Watched = {
    outcome: {
      command: `millrace ${given.args.join(" ")}`,
      exitCode,
      stdout: clean(stdout),
      stderr: clean(stderr),
    },
    made: [
      ...filesBelow(cwd).filter((path) => !before.has(path)),
      ...filesBelow(temporary).map((path) => `<tmp>/${path}`),
    ],
    did: acts.flatMap(([what = "", detail = ""]) => {
      if (what === "start" || (what === "listen" && given.listens === true)) return [];
      if (what === "spawn" && mayStart.has(detail)) return [];
      if (what === "write" && (detail.startsWith(temporary) || detail === "/dev/null")) return [];
      return [`${what} ${detail}`];
    }),
    alive: await stillAlive(
      acts.flatMap(([what, , pid]) => (what === "spawn" && Number(pid) > 0 ? [Number(pid)] : [])),
    ),
  };
  for (const path of [cwd, temporary, log]) rmSync(path, { recursive: true, force: true });
  return watched;
}

function run(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      // Nothing of whoever runs the tests: no credentials, no MILLRACE_* that means anything to the command, no colours.
      env: {
        PATH: process.env["PATH"],
        MILLRACE_TEST_RUN: process.env["MILLRACE_TEST_RUN"],
        HOME: cwd,
        NODE_OPTIONS: `--import=${recorder}`,
        AWS_EC2_METADATA_DISABLED: "true",
        ...env,
      },
    });
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (chunk: Buffer) => {
        text[name] += chunk.toString("utf8");
      });
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.on("error", reject);
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, ...text });
    });
  });
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}

/** Those that have not ended a moment after their parent: they notice its end by their closed input. */
async function stillAlive(pids: readonly number[]): Promise<readonly number[]> {
  const end = Date.now() + 3_000;
  while (pids.some(isAlive) && Date.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return pids.filter(isAlive);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Where nobody collects the exit codes of orphans, a zombie remains.
    const stat = `/proc/${pid}/stat`;
    return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, "utf8"));
  } catch {
    return false;
  }
}
