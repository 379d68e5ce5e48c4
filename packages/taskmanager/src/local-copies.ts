/**
 * The folders in which a TaskManager's runners keep copies of snapshot objects (local-objects.ts), one for each job.
 *
 * LCO-1  A job's copies go when none of its runners has written for an hour, and none is alive: it has ended, or runs elsewhere.
 * LCO-2  A TaskManager begins without copies, and removes those of TaskManagers that are gone: their folders are named by pid.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const keepMs = 3_600_000;

/** True for a store that is a folder of this machine: copies of it would be no nearer. */
export function isFolder(location: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:\/\//i.test(location) || /^file:/i.test(location);
}

export class LocalCopies {
  readonly #root: string;
  readonly #own: string;

  constructor(root: string, taskManagerId: string) {
    this.#root = root;
    this.#own = `${taskManagerId}-${process.pid}`;
    void this.#removeOthers();
  }
  folderOf(jobId: string): string {
    return join(this.#root, this.#own, jobId);
  }
  /** Removes what has grown old. Never rejects. */
  async sweep(alive: ReadonlySet<string>, now: number = Date.now()): Promise<void> {
    for (const jobId of await namesIn(join(this.#root, this.#own))) {
      const folder = this.folderOf(jobId);
      const written = await stat(folder).catch(() => undefined);
      if (!alive.has(jobId) && written !== undefined && now - written.mtimeMs > keepMs)
        await remove(folder);
    }
  }
  async #removeOthers(): Promise<void> {
    for (const name of await namesIn(this.#root)) {
      const pid = Number(/-(\d+)$/.exec(name)?.[1]);
      if (name === this.#own || isAlive(pid)) continue;
      await remove(join(this.#root, name));
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => []);
}
async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => {});
}
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { readonly code?: string }).code === "EPERM";
  }
}
