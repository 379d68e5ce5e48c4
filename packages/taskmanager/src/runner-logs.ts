/**
 * The logs of this TaskManager's runners: one file per attempt, `<job>-<epoch>.<attempt>-<taskmanager>.log`, and behind it `….log.1`, what was
 * in it before it grew too large. A runner writes into its file by itself; here it is looked after.
 *
 * LOG-1  A file that has grown past `maxFileBytes` is copied to `.1`, over an older one, and emptied: what is newest stays, twice the bound
 *        and what came between two looks is the most an attempt takes. Lines written during the copy are in one of the two, or lost.
 * LOG-2  Of a job the newest `keptAttempts` attempts stay, of all jobs the newest `keptFiles` files; those of runners that are alive in any case.
 * LOG-3  A tail reads from the end, at most `maxTailBytes`, and never on the event loop.
 */
import { copyFile, mkdir, open, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { AttemptMessage } from "@millrace/protocol";

export interface RunnerLogsOptions {
  readonly folder: string;
  readonly taskManagerId: string;
  readonly maxFileBytes?: number;
  readonly keptAttempts?: number;
  readonly keptFiles?: number;
}
interface LogFile {
  readonly name: string;
  readonly jobId: string;
  readonly epoch: number;
  readonly attempt: number;
  /** 0 is written to, 1 is older. */
  readonly rotated: number;
}

const maxTailBytes = 4 * 1024 * 1024;

export class RunnerLogs {
  readonly #folder: string;
  readonly #id: string;
  readonly #maxFileBytes: number;
  readonly #keptAttempts: number;
  readonly #keptFiles: number;
  readonly #alive = new Set<string>();
  #looking: Promise<void> | undefined;

  constructor(options: RunnerLogsOptions) {
    this.#folder = options.folder;
    this.#id = options.taskManagerId;
    this.#maxFileBytes = options.maxFileBytes ?? 64 * 1024 * 1024;
    this.#keptAttempts = options.keptAttempts ?? 10;
    this.#keptFiles = options.keptFiles ?? 500;
  }

  /** The file of an attempt that starts; older ones of its job may go. */
  begin(attempt: AttemptMessage): string {
    const name = this.#nameOf(attempt);
    this.#alive.add(name);
    return join(this.#folder, name);
  }
  end(attempt: AttemptMessage): void {
    this.#alive.delete(this.#nameOf(attempt));
  }

  /** Looks after everything, from time to time. What can't be done is done at the next look. */
  look(): Promise<void> {
    this.#looking ??= Promise.all([this.#rotate(), this.#prune()])
      .catch(() => {})
      .then(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** The last lines of a job's logs here, oldest attempt first. */
  async tail(jobId: string, lines: number): Promise<string> {
    const files = (await this.#files()).filter((file) => file.jobId === jobId).sort(byAge);
    let text = "";
    let budget = maxTailBytes;
    for (const { name } of files.reverse()) {
      if (budget <= 0 || linesOf(text).length >= lines) break;
      const part = await this.#end(name, budget);
      budget -= Buffer.byteLength(part);
      text = `${part}\n${text}`;
    }
    return linesOf(text).slice(-lines).join("\n");
  }

  async #rotate(): Promise<void> {
    for (const name of this.#alive) {
      const file = join(this.#folder, name);
      const { size } = await stat(file);
      if (size <= this.#maxFileBytes) continue;
      await copyFile(file, `${file}.1`);
      await truncate(file, 0);
    }
  }
  async #prune(): Promise<void> {
    const newestFirst = (await this.#files()).sort(byAge).reverse();
    const attempts = new Map<string, Set<string>>();
    let count = 0;
    for (const { name, jobId, epoch, attempt } of newestFirst) {
      const known = attempts.get(jobId) ?? new Set();
      attempts.set(jobId, known.add(`${epoch}.${attempt}`));
      count += 1;
      if (known.size <= this.#keptAttempts && count <= this.#keptFiles) continue;
      if (!this.#alive.has(name.replace(/\.1$/, "")))
        await rm(join(this.#folder, name), { force: true });
    }
  }

  /** The last bytes of a file, from the start of a line. */
  async #end(name: string, bytes: number): Promise<string> {
    const file = await open(join(this.#folder, name), "r");
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - bytes);
      const buffer = Buffer.alloc(size - from);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
      const text = buffer.toString("utf8", 0, bytesRead);
      return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
    } finally {
      await file.close();
    }
  }
  async #files(): Promise<LogFile[]> {
    await mkdir(this.#folder, { recursive: true });
    const names = await readdir(this.#folder);
    return names.flatMap((name) => {
      const parts = /^(.+?)-(\d+)\.(\d+)-(.+)\.log(\.1)?$/.exec(name);
      if (parts === null || parts[4] !== this.#id) return [];
      return {
        name,
        jobId: parts[1] ?? "",
        epoch: Number(parts[2]),
        attempt: Number(parts[3]),
        rotated: parts[5] === undefined ? 0 : 1,
      };
    });
  }
  #nameOf({ jobId, epoch, attempt }: AttemptMessage): string {
    return `${jobId}-${epoch}.${attempt}-${this.#id}.log`;
  }
}

/** Oldest first; epochs rise through all jobs of a cluster. */
function byAge(a: LogFile, b: LogFile): number {
  return a.epoch - b.epoch || a.attempt - b.attempt || b.rotated - a.rotated;
}
function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
