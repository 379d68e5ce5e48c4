/** Frames that have been taken and are still read: each is released when its bytes have been granted, in the order of taking (TRN-6). */
import { FrameQueue } from "./frame-queue.ts";
import type { Frame } from "./transport.ts";

export class TakenFrames {
  readonly #frames = new FrameQueue();
  readonly #release: (payload: Uint8Array) => void;
  /** Granted of the oldest. */
  #granted = 0;

  constructor(release: (payload: Uint8Array) => void) {
    this.#release = release;
  }
  push(frame: Frame): void {
    this.#frames.push(frame);
  }
  /** What is granted beyond the frames taken releases nothing. */
  grant(bytes: number): void {
    this.#granted += bytes;
    for (
      let oldest = this.#frames.peek();
      oldest !== undefined && oldest.payload.length <= this.#granted;
      oldest = this.#frames.peek()
    ) {
      this.#frames.shift();
      this.#granted -= oldest.payload.length;
      this.#release(oldest.payload);
    }
    if (this.#frames.length === 0) this.#granted = 0;
  }
}
