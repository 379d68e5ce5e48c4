/**
 * Serialises what happens to a job: events are handled one after the other, each to its end, though handling may wait for
 * the store.
 *
 * ACT-1  Events are handled in the order of `post`; none overlaps another.
 * ACT-2  A handler that rejects ends the actor through `onFailure`; nothing is handled afterwards.
 */
export class Actor<E> {
  readonly #handle: (event: E) => void | Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #queue: E[] = [];
  #running = false;
  #ended = false;

  constructor(handle: (event: E) => void | Promise<void>, onFailure: (error: unknown) => void) {
    this.#handle = handle;
    this.#onFailure = onFailure;
  }
  /** The queue is bounded by what can happen at once: one message per task and kind, and one of each timer. */
  post(event: E): void {
    if (this.#ended) return;
    this.#queue.push(event);
    if (!this.#running) {
      this.#running = true;
      void this.#run();
    }
  }
  end(): void {
    this.#ended = true;
    this.#queue = [];
  }
  async #run(): Promise<void> {
    try {
      for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
        const pending = this.#handle(event);
        if (pending !== undefined) await pending;
      }
    } catch (error) {
      this.end();
      this.#onFailure(error);
    } finally {
      this.#running = false;
    }
  }
}
