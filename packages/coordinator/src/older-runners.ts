/**
 * Runners of older attempts of one job that nobody has seen end: what they open after a sweep only another sweep finds.
 *
 * OLD-1  A runner is known to have ended when its exit is reported, or when its TaskManager is back without it.
 * OLD-2  One whose TaskManager stays away is taken for ended `graceMs` after it was lost, and so is what earlier leaders may have
 *        started: a job can't wait for ever for a machine that is gone. What such a runner opens later stays where it is; it can't
 *        be committed.
 */
import type { AttemptMessage } from "@millrace/protocol";

export class OlderRunners {
  readonly #graceMs: number;
  /** "<taskmanager> <epoch>.<attempt>" → monotonic ms from which it is taken for ended. */
  readonly #until = new Map<string, number>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }
  /** It may be alive from now on without anybody knowing. */
  lost(taskManager: string, attempt: AttemptMessage, now: number): void {
    this.#until.set(keyOf(taskManager, attempt), now + this.#graceMs);
  }
  ended(taskManager: string, attempt: AttemptMessage): void {
    this.#until.delete(keyOf(taskManager, attempt));
  }
  /** A TaskManager says which runners of the job are alive on it. */
  registered(taskManager: string, alive: readonly AttemptMessage[], now: number): void {
    for (const key of [...this.#until.keys()])
      if (key.startsWith(`${taskManager} `)) this.#until.delete(key);
    for (const attempt of alive) this.lost(taskManager, attempt, now);
  }
  /** Monotonic ms at which the last of them is taken for ended; undefined: all have ended. */
  aliveUntil(now: number): number | undefined {
    for (const [key, until] of this.#until) if (until <= now) this.#until.delete(key);
    return this.#until.size === 0 ? undefined : Math.max(...this.#until.values());
  }
}

function keyOf(taskManager: string, { epoch, attempt }: AttemptMessage): string {
  return `${taskManager} ${epoch}.${attempt}`;
}
