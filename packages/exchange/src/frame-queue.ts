/**
 * Frames in order, first in first out: those that wait for credit, and those that have arrived and wait to be taken. What bounds it is
 * the credit, or the room, of whoever pushes.
 *
 * FRQ-1  A frame that has been shifted out is held no longer, also when the queue never runs empty.
 * FRQ-2  The array is at most twice as long as there are frames, plus `slack`.
 */
import type { Frame } from "./transport.ts";

/** Free slots at the front that are not worth moving the rest for. */
const slack = 32;

export class FrameQueue {
  readonly #frames: (Frame | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }
  get length(): number {
    return this.#frames.length - this.#head;
  }
  /** Entries of the array, for FRQ-2. */
  get slots(): number {
    return this.#frames.length;
  }
  /** The oldest frame, which stays. */
  peek(): Frame | undefined {
    return this.#frames[this.#head];
  }
  /** The newest frame. */
  last(): Frame | undefined {
    return this.#frames[this.#frames.length - 1];
  }
  /** True when the queue was empty. */
  push(frame: Frame): boolean {
    this.#frames.push(frame);
    this.#bytes += frame.payload.length;
    return this.length === 1;
  }
  /** Puts a frame in the place of the newest one, which is there. */
  replaceLast(frame: Frame): void {
    const last = this.#frames.length - 1;
    this.#bytes += frame.payload.length - (this.#frames[last]?.payload.length ?? 0);
    this.#frames[last] = frame;
  }
  shift(): Frame | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#frames[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= frame.payload.length;
    if (this.#head === this.#frames.length) this.clear();
    else if (this.#head > slack && this.#head * 2 > this.#frames.length) {
      this.#frames.copyWithin(0, this.#head);
      this.#frames.length -= this.#head;
      this.#head = 0;
    }
    return frame;
  }
  clear(): void {
    this.#frames.length = 0;
    this.#head = 0;
    this.#bytes = 0;
  }
}
