/** The command as users have it, the published package in a folder of its own: to the version, and to the end of a job without records. */
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { spread } from "../pairs.ts";
import type { Experiment } from "./experiment.ts";

const root = join(import.meta.dirname, "../../..");
const dist = join(root, "packages/millrace/dist");

export const start: Experiment = {
  name: "start",
  what: "the published command, from its start to its end, in turns with Node alone",
  async run({ quick, onStep }) {
    onStep("packing");
    execFileSync(process.execPath, [join(root, "scripts/pack.ts")], { stdio: "ignore" });
    const folder = mkdtempSync(join(tmpdir(), "millrace-start-"));
    try {
      const command = install(folder);
      const wanted = {
        "node alone": ["-e", "0"],
        "millrace --version": [command, "--version"],
        "millrace run --no-check": [command, "run", "empty-job.ts", "--no-check"],
        "millrace run": [command, "run", "empty-job.ts"],
      };
      const times = new Map<string, number[]>(Object.keys(wanted).map((name) => [name, []]));
      const rounds = quick ? 3 : 15;
      for (let round = 0; round < rounds; round++)
        for (const [name, args] of Object.entries(wanted))
          times.get(name)?.push(await timed(folder, args));
      const figure = (name: string, aim?: string) => ({
        ...{ figure: name, unit: "ms" as const, values: spread(times.get(name) ?? [], 0) },
        ...(aim === undefined ? {} : { aim }),
      });
      return [
        figure("node alone"),
        figure("millrace --version", "≤ 100"),
        figure("millrace run --no-check", "≤ 400"),
        figure("millrace run", "≤ 400"),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Puts the package, what it depends on and a job into a folder; answers the command's file. */
function install(folder: string): string {
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(dist, join(modules, "millrace"));
  for (const name of ["typescript", "esbuild"])
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  // As a package manager lays them: beside the package.
  const dependencies = join(dist, "node_modules");
  rmSync(dependencies, { force: true });
  symlinkSync(join(root, "node_modules/.pnpm/node_modules"), dependencies);
  copyFileSync(join(import.meta.dirname, "empty-job.ts"), join(folder, "empty-job.ts"));
  return join(modules, "millrace/main.js");
}

async function timed(cwd: string, args: readonly string[]): Promise<number> {
  const begun = performance.now();
  await promisify(execFile)(process.execPath, args, { cwd });
  return performance.now() - begun;
}
