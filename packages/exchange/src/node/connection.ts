/** Frames over one socket, both ways: writes in order, reads across any cut of the stream, checks every one. */
import type { Socket } from "node:net";
import { crc32c } from "@millrace/data";
import { fail } from "../fail.ts";

/** What both ends must speak; the hello carries it. */
export const protocolVersion = 1;
export const FrameType = { hello: 1, open: 2, credit: 3, hint: 4, close: 5, data: 16 } as const;
const headBytes = 13;
/** Of the head, all but the checksum itself: a damaged channel number must not bring a batch to another channel. */
const checkedHeadBytes = 9;
/** A batch is below 128 KB unless one row is larger; no row may be larger than this. */
export const maxPayloadBytes = 64 * 1024 * 1024;
const empty = Buffer.alloc(0);

export interface ConnectionEvents {
  /** `payload` is the receiver's own. Throwing ends the connection. */
  onFrame(type: number, channel: number, payload: Uint8Array): void;
  /** Once; `error` undefined when the other end closed in order. */
  onEnd(error: unknown): void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  #ended = false;
  /** Bytes of a frame that is not whole yet. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** Bytes that must be there before it is worth looking again. */
  #wanted = headBytes;

  constructor(socket: Socket, events: ConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(undefined));
  }

  send(type: number, channel: number, payload: Uint8Array): void {
    if (this.#ended) return;
    const head = Buffer.allocUnsafe(headBytes);
    head.writeUInt32LE(payload.length, 0);
    head.writeUInt8(type, 4);
    head.writeUInt32LE(channel, 5);
    head.writeUInt32LE(crc32c(payload, crc32c(head.subarray(0, checkedHeadBytes))), 9);
    this.#socket.cork();
    this.#socket.write(head);
    if (payload.length > 0) this.#socket.write(payload);
    // One write call for head and payload, and for whatever else this turn of the loop sends.
    process.nextTick(uncork, this.#socket);
  }
  /** Sends what is written, then closes. */
  end(): void {
    this.#ended = true;
    this.#socket.destroySoon();
  }

  #read(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#partBytes += chunk.length;
    if (this.#partBytes < this.#wanted) return;
    let bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#partBytes);
    this.#parts = [];
    this.#partBytes = 0;
    this.#wanted = headBytes;
    try {
      bytes = this.#frames(bytes);
    } catch (error) {
      this.#socket.destroy();
      this.#end(error);
      return;
    }
    if (bytes.length > 0) {
      this.#parts.push(bytes);
      this.#partBytes = bytes.length;
    }
  }

  /** Hands out the whole frames; answers the rest. */
  #frames(bytes: Buffer): Buffer {
    let at = 0;
    while (bytes.length - at >= headBytes && !this.#ended) {
      const length = bytes.readUInt32LE(at);
      if (length > maxPayloadBytes)
        throw fail("EXCHANGE_CORRUPT", { fields: { reason: "frame too large", length } });
      if (bytes.length - at < headBytes + length) {
        this.#wanted = headBytes + length;
        break;
      }
      const from = at + headBytes;
      // A copy, so that the batch does not keep the socket's chunk alive and starts aligned.
      const payload = new Uint8Array(length);
      payload.set(bytes.subarray(from, from + length));
      const head = crc32c(bytes.subarray(at, at + checkedHeadBytes));
      if (crc32c(payload, head) !== bytes.readUInt32LE(at + 9))
        throw fail("EXCHANGE_CORRUPT", { fields: { reason: "checksum" } });
      this.#events.onFrame(bytes.readUInt8(at + 4), bytes.readUInt32LE(at + 5), payload);
      at = from + length;
    }
    return at === bytes.length ? empty : bytes.subarray(at);
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.onEnd(error);
  }
}

function uncork(socket: Socket): void {
  socket.uncork();
}

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
/** Throws `EXCHANGE_BAD_FRAME`. */
export function decodeJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(
      Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8"),
    );
  } catch (error) {
    throw fail("EXCHANGE_BAD_FRAME", { fields: { event: "json" }, cause: error });
  }
}
export function encodeU32(value: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, value, true);
  return payload;
}
export function decodeU32(payload: Uint8Array): number {
  if (payload.length !== 4) throw fail("EXCHANGE_BAD_FRAME", { fields: { event: "u32" } });
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
}
