/** What went wrong in a job, newest first, bounded (REC-07: 16 root exceptions, the rest of a restart grouped below its root). */
import type { ErrorInfo } from "@millrace/base";

export interface ExceptionEntry {
  readonly at: number;
  readonly attempt: number;
  readonly error: ErrorInfo;
  /** "<vertex>#<subtask>" and its TaskManager, when one task is to blame. */
  readonly task?: string;
  readonly taskName?: string;
  readonly taskManager?: string;
  /** host:port of its slot in that attempt. */
  readonly endpoint?: string;
  readonly concurrent: ExceptionEntry[];
}

const maxRoots = 16;
const maxConcurrent = 16;

export class ExceptionHistory {
  readonly #roots: ExceptionEntry[] = [];

  /** A failure of the same attempt as the newest root is concurrent with it. */
  add(entry: Omit<ExceptionEntry, "concurrent">): void {
    const newest = this.#roots[0];
    if (newest !== undefined && newest.attempt === entry.attempt) {
      if (newest.concurrent.length < maxConcurrent)
        newest.concurrent.push({ ...entry, concurrent: [] });
      return;
    }
    this.#roots.unshift({ ...entry, concurrent: [] });
    if (this.#roots.length > maxRoots) this.#roots.pop();
  }
  get roots(): readonly ExceptionEntry[] {
    return this.#roots;
  }
}
