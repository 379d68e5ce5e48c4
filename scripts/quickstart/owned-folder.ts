/** One quickstart at a time in one folder: whoever holds it wrote its pid there and still lives. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startTimeOf } from "../processes.ts";

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
    if (startTimeOf(pid) !== undefined && identityOf(pid) === owner) return undefined;
    rmSync(file, { force: true });
  }
  return undefined;
}

/** A pid is given again to other programs; with the time of its start it is not. */
const identityOf = (pid: number): string => `${pid} ${startTimeOf(pid) ?? ""}`;
