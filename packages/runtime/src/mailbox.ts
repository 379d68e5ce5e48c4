/**
 * Mail for one subtask: work from promises and callbacks that must run on its own thread of events.
 *
 * MBX-1  Letters run in the order of submission, never inside the call that submitted them.
 * MBX-2  While paused no input is read and no timer fires; mail and barriers in progress go on. While a barrier is being prepared mail
 *        waits too: `prepareBarrier` may await promises, but never a letter.
 */
import type { Mailbox } from "@millrace/spi";

export class TaskMailbox implements Mailbox {
  readonly #wake: () => void;
  #letters: (() => void)[] = [];
  #pauses = 0;
  #closed = false;

  readonly #onPause: () => void;

  constructor(wake: () => void, onPause: () => void = () => {}) {
    this.#wake = wake;
    this.#onPause = onPause;
  }
  execute(fn: () => void): void {
    if (this.#closed) return;
    this.#letters.push(fn);
    this.#wake();
  }
  pause(): void {
    this.#pauses += 1;
    this.#onPause();
  }
  resume(): void {
    this.#pauses -= 1;
    this.#wake();
  }
  get paused(): boolean {
    return this.#pauses > 0;
  }
  get waiting(): boolean {
    return this.#letters.length > 0;
  }
  /** Runs the letters that are there now, until `stop` says so; those that arrive meanwhile wait for the next call. */
  drain(stop: () => boolean): void {
    const letters = this.#letters;
    const count = letters.length;
    let done = 0;
    while (done < count && !this.#closed) {
      letters[done++]?.();
      if (stop()) break;
    }
    if (done > 0) letters.splice(0, done);
  }
  close(): void {
    this.#closed = true;
    this.#letters = [];
  }
}
