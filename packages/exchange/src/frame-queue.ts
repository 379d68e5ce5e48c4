/** Frames that have arrived and wait to be taken. Bounded by the credit that was granted for them. */
import type { Frame } from "./transport.ts";

export class FrameQueue {
  readonly #frames: (Frame | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }
  /** True when the queue was empty. */
  push(frame: Frame): boolean {
    this.#frames.push(frame);
    this.#bytes += frame.payload.length;
    return this.#frames.length - this.#head === 1;
  }
  shift(): Frame | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#frames[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= frame.payload.length;
    if (this.#head === this.#frames.length) {
      this.#frames.length = 0;
      this.#head = 0;
    } else if (this.#head > 1_024) {
      this.#frames.splice(0, this.#head);
      this.#head = 0;
    }
    return frame;
  }
}
