/**
 * What a turn of the loop sends, as few writes: frames are copied one behind the other into buffers of the pool.
 *
 * FWR-1  Frames leave in the order in which they were sent, at the end of the turn, in one vectored write.
 * FWR-2  A buffer is used again only after the system has taken its bytes.
 */
import type { Socket } from "node:net";
import type { BufferPool } from "./buffer-pool.ts";
import { headBytes, type WireFrame, writeFrame } from "./wire.ts";

/** Two usual batches, and the first of many small frames; the pool's largest. */
const blockBytes = 128 * 1024;
/** What a few credits or a small batch need: a connection that says little holds little. */
const leastBlockBytes = 4 * 1024;

export class FrameWriter {
  readonly #socket: Socket;
  readonly #pool: BufferPool;
  #full: Buffer[] = [];
  #block: Buffer | undefined;
  #used = 0;
  #flushing = false;
  readonly #flush = () => this.flush();

  constructor(socket: Socket, pool: BufferPool) {
    this.#socket = socket;
    this.#pool = pool;
  }
  /** The payload has been copied when this returns. */
  send(frame: WireFrame): void {
    const bytes = headBytes + frame.payload.length;
    const block = this.#roomFor(bytes);
    writeFrame(block, this.#used, frame);
    this.#used += bytes;
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(this.#flush);
  }
  /** Writes what has been sent. */
  flush(): void {
    this.#flushing = false;
    const blocks = this.#full;
    if (this.#block !== undefined) blocks.push(this.#block.subarray(0, this.#used));
    this.#block = undefined;
    this.#full = [];
    this.#used = 0;
    if (blocks.length > 1) this.#socket.cork();
    for (const block of blocks) this.#socket.write(block, () => this.#pool.give(block));
    if (blocks.length > 1) this.#socket.uncork();
  }

  /** The block into which so many bytes go, at `used`. */
  #roomFor(bytes: number): Buffer {
    const block = this.#block;
    if (block !== undefined && this.#used + bytes <= block.length) return block;
    if (block !== undefined) this.#full.push(block.subarray(0, this.#used));
    // The second block of a turn, or a batch, is not the last.
    const least = block === undefined && bytes <= leastBlockBytes ? leastBlockBytes : blockBytes;
    const next = asBuffer(this.#pool.take(Math.max(bytes, least)));
    this.#block = next;
    this.#used = 0;
    return next;
  }
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
