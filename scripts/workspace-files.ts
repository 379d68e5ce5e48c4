/** Lists the workspace: its packages and the files that git would keep. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "./layer-rules.ts";
import { root } from "./layers.ts";

/** Tracked files and new ones that are not ignored, relative to the root. */
export function listFiles(): string[] {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return [...new Set(listed.split("\0"))]
    .filter((path) => path !== "" && existsSync(join(root, path)))
    .sort();
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Folders that hold a package.json, as pnpm-workspace.yaml finds them. */
export function listPackageFolders(): string[] {
  const nested = ["packages", "apps", "examples", "tests"].flatMap((parent) =>
    existsSync(join(root, parent))
      ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`)
      : [],
  );
  return [...nested, "benchmarks"].filter((folder) =>
    existsSync(join(root, folder, "package.json")),
  );
}

export function readManifest(folder: string): Manifest & Readonly<Record<string, unknown>> {
  return JSON.parse(readText(join(folder, "package.json"))) as Manifest & Record<string, unknown>;
}

/** Prints problems and ends the process with 1 if there are any. */
export function report(check: string, problems: readonly string[]): void {
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(
    problems.length === 0 ? `${check}: in order\n` : `${check}: ${problems.length} problem(s)\n`,
  );
  if (problems.length > 0) process.exitCode = 1;
}
