/** The `millrace` command in a folder, and every process that came of it: Linux shows the environment that they inherited. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const main = join(import.meta.dirname, "../main.ts");

/** By it `verify` finds what a test has left. */
const testRun = process.env["MILLRACE_TEST_RUN"];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export function startMillrace(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Started {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      ...(testRun === undefined ? {} : { MILLRACE_TEST_RUN: testRun }),
      MILLRACE_TEST_FOLDER: folder,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

export const canSeeProcesses = existsSync("/proc/self/environ");

/** Pids of what was started in the folder and has not ended; none where that can't be seen. */
export function processesOf(folder: string): readonly number[] {
  if (!canSeeProcesses) return [];
  return readdirSync("/proc")
    .filter((pid) => {
      try {
        return (
          /^\d+$/.test(pid) &&
          readFileSync(`/proc/${pid}/environ`, "utf8").includes(`MILLRACE_TEST_FOLDER=${folder}\0`)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}
