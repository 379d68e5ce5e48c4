/** One quickstart at a time in one folder: whoever holds it wrote its pid there and still lives. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A function that gives the folder back; undefined when another living process holds it. */
export function acquireFolder(folder: string): (() => void) | undefined {
  const file = join(folder, "owner");
  mkdirSync(folder, { recursive: true });
  const me = identityOf(process.pid);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, me, { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    }
    const owner = readFileSync(file, "utf8");
    const pid = Number(owner.split(" ")[0]);
    if (isAlive(pid) && identityOf(pid) === owner) return undefined;
    rmSync(file, { force: true });
  }
  return undefined;
}

/** A pid is given again to other programs; with the time of its start it is not. */
function identityOf(pid: number): string {
  try {
    const start = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return `${pid} ${start.trim()}`;
  } catch {
    return `${pid} `;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
