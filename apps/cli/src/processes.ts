/** Processes that this program started: recognised by pid and start time, so that a reused pid is never touched. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface KnownProcess {
  readonly pid: number;
  readonly startTime: string;
}

/** Something that differs for every process that ever had this pid; undefined when there is none. */
export function processStartTime(pid: number): string | undefined {
  if (pid <= 0) return undefined;
  try {
    if (process.platform === "linux") {
      // Field 22 of /proc/<pid>/stat, counted after the command in parentheses; a zombie (state Z) has ended.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      return fields[0] === "Z" ? undefined : fields[19];
    }
    return (
      execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}

export function isSameProcess(known: KnownProcess): boolean {
  return known.startTime !== "" && processStartTime(known.pid) === known.startTime;
}

/** SIGTERM, then SIGKILL after `graceMs`. False when it had already ended. */
export async function stopProcess(known: KnownProcess, graceMs: number): Promise<boolean> {
  if (!isSameProcess(known)) return false;
  process.kill(known.pid, "SIGTERM");
  const end = Date.now() + graceMs;
  while (isSameProcess(known)) {
    if (Date.now() > end) {
      process.kill(known.pid, "SIGKILL");
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
