/** Type-checks a job with the compiler that is installed beside it, if one is. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fail } from "./fail.ts";
import { resolveJobFile } from "./load-job.ts";

const strict = [
  "--noEmit",
  "--strict",
  "--noUncheckedIndexedAccess",
  "--target",
  "esnext",
  "--module",
  "nodenext",
  "--moduleResolution",
  "nodenext",
  "--skipLibCheck",
  "--allowImportingTsExtensions",
  "--pretty",
  "false",
];

/** "checked", or why it could not be. Rejects `CLIENT_TYPE_ERRORS`. */
export async function typeCheck(
  path: string,
): Promise<"checked" | "not TypeScript" | "no compiler"> {
  const file = resolveJobFile(path);
  if (!/\.[mc]?ts$/.test(file)) return "not TypeScript";
  const compiler = findCompiler(file);
  if (compiler === undefined) return "no compiler";
  const types = existsTypes(file) ? ["--types", "node"] : ["--types", ""];
  const { code, text } = await run(
    compiler,
    [...strict, ...types, "--ignoreConfig", file],
    dirname(file),
  );
  if (code === 0) return "checked";
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  // TypeScript 5 does not know --ignoreConfig: files on the command line ignore the configuration anyway.
  if (lines.some((line) => line.includes("'--ignoreConfig'"))) {
    const again = await run(compiler, [...strict, ...types, file], dirname(file));
    if (again.code === 0) return "checked";
    throw typeErrors(path, again.text.split("\n"));
  }
  throw typeErrors(path, lines);
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
function existsTypes(file: string): boolean {
  try {
    createRequire(file).resolve("@types/node/package.json");
    return true;
  } catch {
    return false;
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
