/**
 * Frames out of the pieces in which a stream arrives: one copy, from the piece that the system gave into a buffer of the pool.
 *
 * FRD-1  A frame comes out whole and checked, or reading throws; what was before it has come out.
 * FRD-2  Before a payload's bytes are there, at most `buffer-pool`'s largest buffer is held for them: not what the head claims.
 */
import { fail } from "../fail.ts";
import type { BufferPool } from "./buffer-pool.ts";
import {
  checkedHeadBytes,
  checksumOf,
  type FrameHead,
  FrameType,
  headBytes,
  maxControlBytes,
  maxPayloadBytes,
  readHead,
} from "./wire.ts";

/** Of a larger payload the pieces are kept until all are there. */
const wholeBytes = 128 * 1024;

export interface FrameReaderEvents {
  /** A frame has begun, unchecked: throws when it is not acceptable, before its payload is waited for. */
  onHead?(head: FrameHead): void;
  /** The payload is the receiver's; it may go back to the pool. */
  onFrame(head: FrameHead, payload: Uint8Array): void;
}

export class FrameReader {
  readonly #pool: BufferPool;
  readonly #events: FrameReaderEvents;
  /** Bytes of a head that is not whole yet, then the head. */
  readonly #headBytes = Buffer.alloc(headBytes);
  #headFilled = 0;
  #head: FrameHead | undefined;
  /** Where the payload goes, and how much of it has come; undefined for a large one. */
  #payload: Uint8Array | undefined;
  #pieces: Buffer[] = [];
  #filled = 0;
  #stopped = false;

  constructor(pool: BufferPool, events: FrameReaderEvents) {
    this.#pool = pool;
    this.#events = events;
  }
  /** No further frame comes out. */
  stop(): void {
    this.#stopped = true;
    this.#pieces = [];
    this.#payload = undefined;
  }
  /** Throws `EXCHANGE_CORRUPT`, and what the listeners throw. */
  read(chunk: Buffer): void {
    let at = 0;
    while (!this.#stopped) {
      if (this.#head === undefined) {
        at = this.#readHead(chunk, at);
        if (this.#head === undefined) return;
      }
      at = this.#readPayload(chunk, at, this.#head);
      if (this.#filled < this.#head.payloadBytes) return;
      this.#complete(this.#head);
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const bytes = Math.min(headBytes - this.#headFilled, chunk.length - at);
    chunk.copy(this.#headBytes, this.#headFilled, at, at + bytes);
    this.#headFilled += bytes;
    if (this.#headFilled < headBytes) return at + bytes;
    const head = readHead(this.#headBytes, 0);
    const { type, payloadBytes } = head;
    if (payloadBytes > (type < FrameType.data ? maxControlBytes : maxPayloadBytes))
      throw fail("EXCHANGE_CORRUPT", {
        fields: { reason: "frame too large", length: payloadBytes },
      });
    this.#events.onHead?.(head);
    this.#head = head;
    if (payloadBytes <= wholeBytes) this.#payload = this.#pool.take(payloadBytes);
    return at + bytes;
  }
  #readPayload(chunk: Buffer, at: number, { payloadBytes }: FrameHead): number {
    const bytes = Math.min(payloadBytes - this.#filled, chunk.length - at);
    if (bytes > 0) {
      const piece = chunk.subarray(at, at + bytes);
      if (this.#payload === undefined) this.#pieces.push(piece);
      else this.#payload.set(piece, this.#filled);
      this.#filled += bytes;
    }
    return at + bytes;
  }
  #complete(head: FrameHead): void {
    const payload = this.#payload ?? joined(this.#pieces, head.payloadBytes);
    const bytes = this.#headBytes;
    if (
      checksumOf(bytes.subarray(0, checkedHeadBytes), payload) !==
      bytes.readUInt32LE(checkedHeadBytes)
    )
      throw fail("EXCHANGE_CORRUPT", { fields: { reason: "checksum" } });
    this.#head = undefined;
    this.#headFilled = 0;
    this.#payload = undefined;
    this.#pieces = [];
    this.#filled = 0;
    if (head.type === FrameType.ping) this.#pool.give(payload);
    else this.#events.onFrame(head, payload);
  }
}

/** Starts aligned, unlike what `Buffer.concat` makes of its own pool. */
function joined(pieces: readonly Buffer[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
