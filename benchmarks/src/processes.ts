/** What Linux says of processes: their children, CPU and memory. */
import { readdirSync, readFileSync } from "node:fs";

const tickMs = 10;
const pageBytes = 4_096;

export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => fieldsOf(child)[1] === String(pid));
}
/** User and system, all threads, since it began. */
export function cpuMsOf(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
/** The same of children that have ended, and theirs. */
export function endedChildrenCpuMs(): number {
  const fields = fieldsOf(process.pid);
  return (Number(fields[13]) + Number(fields[14])) * tickMs;
}
export function rssBytesOf(pid: number): number {
  return Number(fieldsOf(pid)[21]) * pageBytes;
}

/** From the state on: the command before it may hold anything. */
function fieldsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return [];
  }
}
