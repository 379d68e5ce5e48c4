/** Type-checks a job with the compiler that is installed beside it, if one is. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CompilerOptions, checkConfig, nearestConfig } from "./check-config.ts";
import { fail } from "./fail.ts";
import { resolveJobFile } from "./job-file.ts";

/** "checked", or why it could not be. Rejects `CLIENT_TYPE_ERRORS`. */
export async function typeCheck(
  path: string,
): Promise<"checked" | "not TypeScript" | "no compiler"> {
  const file = resolveJobFile(path);
  if (!/\.[mc]?ts$/.test(file)) return "not TypeScript";
  const compiler = findCompiler(file);
  if (compiler === undefined) return "no compiler";
  const folder = await mkdtemp(join(tmpdir(), "millrace-check-"));
  try {
    const config = join(folder, "tsconfig.json");
    const check = async (user: Awaited<ReturnType<typeof userConfig>>) => {
      await writeFile(config, JSON.stringify(checkConfig(file, user)));
      return await run(compiler, ["-p", config, "--pretty", "false"], dirname(file));
    };
    const user = await userConfig(compiler, file);
    let { code, text } = await check(user);
    // What it extends was left behind: it says nothing of the job.
    if (user !== undefined && /\berror TS(5083|6053):/.test(text))
      ({ code, text } = await check(undefined));
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
/** What the compiler makes of the nearest tsconfig.json, `extends` and all. One that it can't read says nothing of the job. */
async function userConfig(
  compiler: string,
  file: string,
): Promise<{ readonly path: string; readonly own: CompilerOptions } | undefined> {
  const path = nearestConfig(file);
  if (path === undefined) return undefined;
  const { code, text } = await run(compiler, ["-p", path, "--showConfig"], dirname(file));
  if (code !== 0) return undefined;
  try {
    const shown = JSON.parse(text) as { readonly compilerOptions?: CompilerOptions };
    return { path, own: shown.compilerOptions ?? {} };
  } catch {
    return undefined;
  }
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
