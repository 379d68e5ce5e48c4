/** Starts a daemon of this very program, detached, and waits for its ready file. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../fail.ts";
import { processStartTime, stopProcess } from "../processes.ts";
import type { LocalProcess } from "./cluster-file.ts";

export interface DaemonSpec {
  readonly role: LocalProcess["role"];
  readonly name: string;
  readonly dir: string;
  /** What follows the role on the command line. */
  readonly args: readonly string[];
}

/** Daemons run no user code: what they allocate is little, and soon garbage. Runners don't inherit it. */
const daemonHeap = "--max-semi-space-size=2";
const graceMs = 5_000;
const pollMs = 20;
const maxOutputLines = 12;

/** What the daemon wrote into its ready file. Rejects `CLI_START_FAILED`, or the signal's reason. */
export async function startDaemon(
  spec: DaemonSpec,
  options: {
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
    /** Called in the same turn in which the process was made: nothing may come between that and its being known. */
    readonly onStarted: (process: LocalProcess) => void;
  },
): Promise<unknown> {
  const { signal } = options;
  signal.throwIfAborted();
  const log = join(spec.dir, "logs", `${spec.name}.log`);
  const readyFile = join(spec.dir, `${spec.name}.ready`);
  rmSync(readyFile, { force: true });
  const before = existsSync(log) ? statSync(log).size : 0;
  const out = openSync(log, "a");
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      daemonHeap,
      process.argv[1] ?? "",
      spec.role,
      ...spec.args,
      "--ready-file",
      readyFile,
    ],
    { detached: true, stdio: ["ignore", out, out] },
  );
  closeSync(out);
  child.unref();
  let exited: string | undefined;
  child.once("exit", (code, by) => {
    exited = code === null ? `killed by ${by}` : String(code);
  });
  child.once("error", (error) => {
    exited = error.message;
  });
  const pid = child.pid ?? 0;
  const { role, name } = spec;
  const entry: LocalProcess = { role, name, pid, startTime: processStartTime(pid) ?? "", log };
  options.onStarted(entry);
  const end = Date.now() + options.timeoutMs;
  while (Date.now() < end && exited === undefined) {
    if (existsSync(readyFile)) return JSON.parse(readFileSync(readyFile, "utf8"));
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    signal.throwIfAborted();
  }
  if (exited === undefined) await stopProcess(entry, graceMs);
  throw fail("CLI_START_FAILED", {
    fields: {
      process: name,
      log,
      ended: exited ?? `not ready after ${options.timeoutMs / 1_000} s`,
      output: endedText(log, before),
    },
  });
}

/** What a daemon that has ended said last: its error when there is one. `from` is where this start begins in the log. */
export function endedText(log: string, from = 0): readonly string[] {
  const lines = readFileSync(log).subarray(from).toString("utf8").trimEnd().split("\n");
  const error = lines.findLastIndex((line) => line.startsWith("error "));
  return error < 0 ? lines.slice(-maxOutputLines) : lines.slice(error, error + maxOutputLines);
}
