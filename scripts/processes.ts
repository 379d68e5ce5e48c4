/** Processes of this machine: whether one still is what it was, and which carry a variable in their environment. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface FoundProcess {
  readonly pid: number;
  readonly value: string;
  /** For people: its command line as far as it can be read. */
  readonly command: string;
}

const isLinux = process.platform === "linux";

/** Without white space; something that differs for every process that ever had this pid. Undefined when there is none. */
export function startTimeOf(pid: number): string | undefined {
  if (!(pid > 0)) return undefined;
  try {
    if (!isLinux) {
      const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
      return text.trim().replace(/\s+/g, "-") || undefined;
    }
    // Field 22 of /proc/<pid>/stat, counted after the command in parentheses; a zombie (state Z) has ended.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** All processes whose environment, as it was at their start, has the variable; those of other users can't be read. */
export function processesWith(variable: string): FoundProcess[] {
  return isLinux ? fromProc(variable) : parsePs(environments(), variable);
}

function fromProc(variable: string): FoundProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const value = readFileSync(`/proc/${name}/environ`, "utf8")
          .split("\0")
          .find((entry) => entry.startsWith(`${variable}=`));
        if (value === undefined) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return [{ pid: Number(name), value: value.slice(variable.length + 1), command }];
      } catch {
        return []; // Ended meanwhile, or somebody else's.
      }
    });
}

function environments(): string {
  return execFileSync("ps", ["-axww", "-E", "-o", "pid=,command="], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
}

/** Of BSD's `ps -E`: pid, command line and environment, in one line with spaces between. */
export function parsePs(text: string, variable: string): FoundProcess[] {
  const line = new RegExp(`^\\s*(\\d+) (.*?) (?:\\S+=.* )?${variable}=(\\S*)`);
  return text.split("\n").flatMap((each) => {
    const [, pid, command = "", value = ""] = line.exec(each) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), value, command }];
  });
}
