/**
 * The processes of one run of the checks and tests. Daemons are detached and outlive whoever started them, so neither
 * groups nor parents lead to them: the run's name does, which all of them inherit in their environment.
 *
 * RUN-1  `end` ends every process of the run, its own apart: SIGTERM, after a grace SIGKILL, until none is found.
 * RUN-2  `endAbandoned` does so for the runs of this folder whose own process is gone; a run that lives is not touched.
 * RUN-3  A run inside a run (a test of these very scripts) belongs to both.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type FoundProcess, processesWith, startTimeOf } from "../processes.ts";

export const runVariable = "MILLRACE_TEST_RUN";

const pollMs = 50;
/** Daemons hand their jobs back in less; what hangs or stands still is killed. */
const graceMs = 5_000;
/** Killing takes no time; a process that is still there is stuck in the kernel, and nothing here ends it. */
const giveUpMs = 30_000;

export class TestRun {
  /** For the environment of everything that the run starts. */
  readonly name: string;
  readonly #folder: string;
  readonly #own: string;
  readonly #hurry: AbortSignal | undefined;

  /** `root`: of the repository, which tells its runs from those of other clones. After `hurry` nothing gets a grace. */
  constructor(root: string, hurry?: AbortSignal) {
    const inherited = process.env[runVariable];
    this.#hurry = hurry;
    this.#folder = createHash("sha256").update(root).digest("hex").slice(0, 12);
    this.#own = `${this.#folder}.${process.pid}.${startTimeOf(process.pid) ?? ""}`;
    this.name = inherited === undefined ? this.#own : `${inherited},${this.#own}`;
  }

  /** What is still there, after a moment in which it may end by itself. */
  async leftovers(withinMs: number): Promise<readonly FoundProcess[]> {
    for (const end = Date.now() + withinMs; ; await sleep(pollMs)) {
      const found = this.#members();
      if (found.length === 0 || Date.now() >= end) return found;
    }
  }
  /** Answers those it found at first. */
  end(): Promise<readonly FoundProcess[]> {
    return this.#end(() => this.#members());
  }
  endAbandoned(): Promise<readonly FoundProcess[]> {
    return this.#end(() =>
      processesWith(runVariable).filter(({ value }) => {
        const [folder, pid, startTime] = (value.split(",").at(-1) ?? "").split(".");
        return folder === this.#folder && startTimeOf(Number(pid)) !== startTime;
      }),
    );
  }

  #members(): FoundProcess[] {
    return processesWith(runVariable).filter(
      ({ pid, value }) => pid !== process.pid && value.split(",").includes(this.#own),
    );
  }
  async #end(find: () => readonly FoundProcess[]): Promise<readonly FoundProcess[]> {
    const first = find();
    const began = Date.now();
    const asked = new Set<number>();
    // Two looks in a row: one that was being started may have been missed by the first.
    for (let empty = 0; empty < 2 && Date.now() - began < giveUpMs; await sleep(pollMs)) {
      const found = find();
      empty = found.length === 0 ? empty + 1 : 0;
      const isOver = this.#hurry?.aborted === true || Date.now() - began > graceMs;
      for (const { pid } of found) {
        if (isOver) signal(pid, "SIGKILL");
        else if (!asked.has(pid)) signal(pid, "SIGTERM");
        asked.add(pid);
      }
    }
    return first;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Ended meanwhile.
  }
}
