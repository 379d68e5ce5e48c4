/**
 * Frames over one socket, both ways: writes in order, reads across any cut of the stream, checks every one, notices silence.
 *
 * CNX-1  Each end says something at least every `heartbeatMs`; an end that hears nothing for three of them ends the connection. Time in
 *        which it stood still itself does not count. 0: never.
 */
import type { Socket } from "node:net";
import { crc32c } from "@millrace/data";
import { fail } from "../fail.ts";

/** What both ends must speak; the hello carries it. */
export const protocolVersion = 2;
export const FrameType = {
  hello: 1,
  open: 2,
  credit: 3,
  hint: 4,
  close: 5,
  ping: 6,
  data: 16,
} as const;
export const headBytes = 17;
/** Of the head, all but the checksum itself: a damaged channel number must not bring a batch to another channel. */
const checkedHeadBytes = 13;
/** A batch is below 128 KB unless one row is larger; no row may be larger than this. */
export const maxPayloadBytes = 64 * 1024 * 1024;
/** A channel's name, a hint: everything but data. */
export const maxControlBytes = 64 * 1024;
const empty = Buffer.alloc(0);
/** Beats in a row without a byte from the other end. */
const maxSilentBeats = 3;

export interface WireFrame {
  readonly type: number;
  readonly channel: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}
export type FrameHead = Omit<WireFrame, "payload"> & { readonly payloadBytes: number };

export interface ConnectionEvents {
  /** A frame has begun, unchecked: throws when it is not acceptable, before its payload is waited for. Maybe more than once. */
  onHead?(head: FrameHead): void;
  /** The payload is the receiver's own. Throwing ends the connection. */
  onFrame(frame: WireFrame): void;
  /** Once; `error` undefined when the other end closed in order. */
  onEnd(error: unknown): void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #heart: NodeJS.Timeout | undefined;
  #ended = false;
  #silentBeats = 0;
  /** Bytes of a frame that is not whole yet. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** Bytes that must be there before it is worth looking again. */
  #wanted = headBytes;

  constructor(socket: Socket, events: ConnectionEvents, heartbeatMs = 0) {
    this.#socket = socket;
    this.#events = events;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(undefined));
    if (heartbeatMs > 0)
      this.#heart = setInterval(() => this.#beat(heartbeatMs), heartbeatMs).unref();
  }

  /** Sends a copy (TRN-6). */
  send({ type, channel, sequence, payload }: WireFrame): void {
    if (this.#ended) return;
    const head = Buffer.allocUnsafe(headBytes + payload.length);
    head.set(payload, headBytes);
    head.writeUInt32LE(payload.length, 0);
    head.writeUInt8(type, 4);
    head.writeUInt32LE(channel, 5);
    head.writeUInt32LE(sequence, 9);
    head.writeUInt32LE(
      crc32c(payload, crc32c(head.subarray(0, checkedHeadBytes))),
      checkedHeadBytes,
    );
    this.#socket.cork();
    this.#socket.write(head);
    // One write call for whatever this turn of the loop sends.
    process.nextTick(uncork, this.#socket);
  }
  /** Sends what is written, then closes. */
  end(): void {
    this.#stop();
    this.#socket.destroySoon();
  }
  /** Closes at once. */
  destroy(): void {
    this.#stop();
    this.#socket.destroy();
  }
  /** Closes at once; `error` is reported as the reason. */
  fail(error: unknown): void {
    this.#socket.destroy();
    this.#end(error);
  }

  #beat(heartbeatMs: number): void {
    this.#silentBeats += 1;
    if (this.#silentBeats > maxSilentBeats)
      this.fail(
        fail("EXCHANGE_PEER_LOST", {
          fields: {
            reason:
              "nothing was heard: the network does not carry, or a function holds up the other slot",
            silentMs: maxSilentBeats * heartbeatMs,
          },
        }),
      );
    else this.send({ type: FrameType.ping, channel: 0, sequence: 0, payload: empty });
  }

  #read(chunk: Buffer): void {
    this.#silentBeats = 0;
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
      this.fail(error);
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
      const head = readHead(bytes, at);
      const { payloadBytes } = head;
      if (payloadBytes > (head.type < FrameType.data ? maxControlBytes : maxPayloadBytes))
        throw fail("EXCHANGE_CORRUPT", {
          fields: { reason: "frame too large", length: payloadBytes },
        });
      this.#events.onHead?.(head);
      if (bytes.length - at < headBytes + payloadBytes) {
        this.#wanted = headBytes + payloadBytes;
        break;
      }
      const from = at + headBytes;
      // A copy, so that the batch does not keep the socket's chunk alive and starts aligned.
      const payload = new Uint8Array(payloadBytes);
      payload.set(bytes.subarray(from, from + payloadBytes));
      const checked = crc32c(bytes.subarray(at, at + checkedHeadBytes));
      if (crc32c(payload, checked) !== bytes.readUInt32LE(at + checkedHeadBytes))
        throw fail("EXCHANGE_CORRUPT", { fields: { reason: "checksum" } });
      if (head.type !== FrameType.ping) {
        const { type, channel, sequence } = head;
        this.#events.onFrame({ type, channel, sequence, payload });
      }
      at = from + payloadBytes;
    }
    return at === bytes.length ? empty : bytes.subarray(at);
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#stop();
    this.#events.onEnd(error);
  }
  #stop(): void {
    this.#ended = true;
    clearInterval(this.#heart);
  }
}

function readHead(bytes: Buffer, at: number): FrameHead {
  return {
    payloadBytes: bytes.readUInt32LE(at),
    type: bytes.readUInt8(at + 4),
    channel: bytes.readUInt32LE(at + 5),
    sequence: bytes.readUInt32LE(at + 9),
  };
}
function uncork(socket: Socket): void {
  socket.uncork();
}
