/** Type-checks a job with the compiler that is installed beside it, if one is. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fail } from "./fail.ts";
import { resolveJobFile } from "./job-file.ts";

/** The user's own configuration is not asked: the same job is judged alike wherever it lies. */
const strict = {
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  target: "esnext",
  module: "nodenext",
  moduleResolution: "nodenext",
  skipLibCheck: true,
  allowImportingTsExtensions: true,
} as const;

/** "checked", or why it could not be. Rejects `CLIENT_TYPE_ERRORS`. */
export async function typeCheck(
  path: string,
): Promise<"checked" | "not TypeScript" | "no compiler"> {
  const file = resolveJobFile(path);
  if (!/\.[mc]?ts$/.test(file)) return "not TypeScript";
  const compiler = findCompiler(file);
  if (compiler === undefined) return "no compiler";
  // A file of options, since the command line has no way to say "no types" that all compilers understand.
  const folder = await mkdtemp(join(tmpdir(), "millrace-check-"));
  try {
    const config = join(folder, "tsconfig.json");
    const typeRoots = nodeTypesAbove(dirname(file));
    const compilerOptions = { ...strict, types: typeRoots.length > 0 ? ["node"] : [], typeRoots };
    await writeFile(config, JSON.stringify({ compilerOptions, files: [file] }));
    const { code, text } = await run(compiler, ["-p", config, "--pretty", "false"], dirname(file));
    if (code === 0) return "checked";
    throw typeErrors(path, text.split("\n"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function typeErrors(path: string, lines: readonly string[]): Error {
  return fail("CLIENT_TYPE_ERRORS", {
    fields: { file: path, errors: lines.filter((line) => line.trim() !== "").slice(0, 20) },
  });
}

function findCompiler(file: string): string | undefined {
  try {
    const manifest = createRequire(file).resolve("typescript/package.json");
    const compiler = join(dirname(manifest), "bin/tsc");
    return existsSync(compiler) ? compiler : undefined;
  } catch {
    return undefined;
  }
}
/**
 * The `@types` folder with Node's types that a compiler finds from here, if there is one. Node's own resolution would also
 * look where NODE_PATH points, which pnpm sets for commands and no compiler follows.
 */
function nodeTypesAbove(folder: string): readonly string[] {
  const types = join(folder, "node_modules/@types");
  if (existsSync(join(types, "node/package.json"))) return [types];
  return dirname(folder) === folder ? [] : nodeTypesAbove(dirname(folder));
}

function run(
  compiler: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [compiler, ...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, text }));
  });
}
