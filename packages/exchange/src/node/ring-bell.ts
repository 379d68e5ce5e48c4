/**
 * When a worker looks at its rings, and how it is woken when it has stopped looking: one word of shared memory per worker, 1 while it
 * sleeps.
 *
 *   awake ──nothing came for `restMs`──▶ word := 1, look again ──nothing──▶ asleep (Atomics.waitAsync)
 *     ▲                                        │ something                       │ word := 0 by another worker, notify
 *     └────────────────────────────────────────┴─────────────────────────────────┘
 *
 * BEL-1  After the word is set the rings are looked at again: what was written before nobody saw the word is not slept over.
 * BEL-2  At most one `waitAsync` is outstanding. It keeps no worker alive: a port or a socket must.
 * BEL-3  Other workers are woken once a turn of the loop, at its end, and only when they sleep.
 * BEL-4  Awake, the rings are looked at once a turn, after everything else has had its turn.
 */

/** One word on a cache line of its own, and the line that is fetched with it. */
const wordsPerSeat = 32;
/**
 * How long to look on before sleeping: to be woken costs both workers together some 100 µs of CPU, so less than that is lost by looking.
 */
const restMs = 0.05;

/** Memory for the words of so many workers. */
export function bellMemory(seats: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(1, seats) * wordsPerSeat * 4);
}

export interface RingBellOptions {
  readonly memory: SharedArrayBuffer;
  /** Number of this worker's word. */
  readonly seat: number;
  /** Looks at the rings; true when there was something. */
  poll(): boolean;
}

export class RingBell {
  readonly #words: Int32Array;
  readonly #own: number;
  readonly #poll: () => boolean;
  /** Workers to be woken at the end of this turn. */
  #rung: number[] = [];
  #flushing = false;
  /** Something was written or granted here since the last look. */
  #active = false;
  #busyAt = 0;
  #asleep = false;
  #closed = false;
  readonly #turn = () => this.#look();
  readonly #flush = () => this.#wakeOthers();

  constructor({ memory, seat, poll }: RingBellOptions) {
    this.#words = new Int32Array(memory);
    this.#own = seat * wordsPerSeat;
    this.#poll = poll;
    this.#wakeUp();
  }

  /** That worker is to look at its rings; it may be this one. */
  ring(seat: number): void {
    this.#active = true;
    const word = seat * wordsPerSeat;
    if (!this.#rung.includes(word)) this.#rung.push(word);
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(this.#flush);
  }
  close(): void {
    this.#closed = true;
    this.#wake(this.#own);
  }

  #wakeOthers(): void {
    this.#flushing = false;
    const rung = this.#rung;
    this.#rung = [];
    for (const word of rung) {
      if (word !== this.#own) this.#wake(word);
      // Its own sleep need not end for what it does itself.
      else if (this.#asleep) this.#poll();
    }
  }
  #wake(word: number): void {
    if (Atomics.load(this.#words, word) === 1 && Atomics.exchange(this.#words, word, 0) === 1)
      Atomics.notify(this.#words, word, 1);
  }

  #wakeUp(): void {
    this.#asleep = false;
    if (this.#closed) return;
    this.#busyAt = performance.now();
    setImmediate(this.#turn);
  }
  #look(): void {
    if (this.#closed) return;
    const now = performance.now();
    if (this.#poll()) this.#busyAt = now;
    const active = this.#active;
    this.#active = false;
    // What it has done itself is no reason to look on, but a reason not to sleep yet: it may do more in the next turn.
    if (active || now - this.#busyAt < restMs) setImmediate(this.#turn);
    else this.#sleep();
  }
  #sleep(): void {
    Atomics.store(this.#words, this.#own, 1);
    if (this.#poll()) {
      Atomics.store(this.#words, this.#own, 0);
      this.#wakeUp();
      return;
    }
    const waiting = Atomics.waitAsync(this.#words, this.#own, 1);
    if (!waiting.async) return this.#wakeUp();
    this.#asleep = true;
    void waiting.value.then(() => this.#wakeUp());
  }
}
