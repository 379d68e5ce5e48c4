/**
 * Named points of the protocol at which a process dies or freezes by itself, each once in a campaign: whoever creates the point's file, with
 * its pid in it, goes. A frozen one is woken again by `thaw`.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Passed by task runners. */
export const runnerPoints = [
  "barrier.aligned:kill:9",
  "snapshot.captured:kill:14",
  "snapshot.before-upload:pause:10",
  "snapshot.after-upload:kill:17",
  "commit.before:kill:5",
  "commit.after:pause:4",
];
/** Passed by the JobManager: each is a call to its store. */
export const jobManagerPoints = [
  "manifest.after:kill:6",
  "checkpoint.after:kill:9",
  "checkpoint.before:pause:4",
  "committed.before:kill:5",
  "attempt.after:kill:4",
];
const pauseMs = 1_500;

interface Point {
  readonly rule: string;
  readonly file: string;
  readonly pauses: boolean;
  /** When a frozen one is woken. */
  thawAt: number | undefined;
}

export class FaultPoints {
  readonly #dir: string;
  readonly #points: Point[] = [];

  constructor(dir: string) {
    this.#dir = dir;
  }
  /** The environment variable for processes that pass these. */
  of(rules: readonly string[]): string {
    return rules
      .map((rule) => {
        const file = join(this.#dir, `point-${this.#points.length}`);
        this.#points.push({ rule, file, pauses: rule.includes(":pause:"), thawAt: undefined });
        return `${rule}:${file}`;
      })
      .join(",");
  }
  /** Wakes what has slept long enough; call it now and then. */
  thaw(after: number = pauseMs): void {
    const now = Date.now();
    for (const point of this.#points) {
      if (!point.pauses || !existsSync(point.file)) continue;
      point.thawAt ??= now + after;
      if (now >= point.thawAt) wake(Number(readFileSync(point.file, "utf8")));
    }
  }
  passed(): { readonly hit: readonly string[]; readonly missed: readonly string[] } {
    const hit = (point: Point) => existsSync(point.file);
    const name = ({ rule }: Point) => rule;
    return {
      hit: this.#points.filter(hit).map(name),
      missed: this.#points.filter((point) => !hit(point)).map(name),
    };
  }
}

function wake(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // It has been ended meanwhile.
  }
}
