/**
 * One connection, both ways: writes frames in order, reads them across any cut of the stream, notices silence.
 *
 * CNX-1  Each end says something at least every `heartbeatMs`; an end that hears nothing for three of them ends the connection. Time in
 *        which it stood still itself does not count. 0: never.
 */
import type { Socket } from "node:net";
import { fail } from "../fail.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { type FrameHead, FrameType, type WireFrame } from "./wire.ts";

const empty = Buffer.alloc(0);
/** Beats in a row without a byte from the other end. */
const maxSilentBeats = 3;

export interface ConnectionEvents {
  /** A frame has begun, unchecked: throws when it is not acceptable, before its payload is waited for. */
  onHead?(head: FrameHead): void;
  /** The payload is the receiver's own, and may go back to the pool. Throwing ends the connection. */
  onFrame(frame: WireFrame): void;
  /** Once; `error` undefined when the other end closed in order. */
  onEnd(error: unknown): void;
}
export interface ConnectionOptions {
  readonly pool: BufferPool;
  /** Default 0: none. */
  readonly heartbeatMs?: number;
}

export class Connection {
  readonly pool: BufferPool;
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #writer: FrameWriter;
  readonly #reader: FrameReader;
  readonly #heart: NodeJS.Timeout | undefined;
  #ended = false;
  #silentBeats = 0;

  constructor(socket: Socket, events: ConnectionEvents, options: ConnectionOptions) {
    const { pool, heartbeatMs = 0 } = options;
    this.pool = pool;
    this.#socket = socket;
    this.#events = events;
    this.#writer = new FrameWriter(socket, pool);
    this.#reader = new FrameReader(pool, {
      onHead: (head) => events.onHead?.(head),
      onFrame: ({ type, channel, sequence }, payload) =>
        events.onFrame({ type, channel, sequence, payload }),
    });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(undefined));
    if (heartbeatMs > 0)
      this.#heart = setInterval(() => this.#beat(heartbeatMs), heartbeatMs).unref();
  }

  /** Sends a copy (TRN-6), at the end of this turn of the loop. */
  send(frame: WireFrame): void {
    if (!this.#ended) this.#writer.send(frame);
  }
  /** Sends what has been sent so far now. */
  flush(): void {
    this.#writer.flush();
  }
  /** Sends what is written, then closes. */
  end(): void {
    this.#writer.flush();
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
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.fail(error);
    }
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#stop();
    this.#events.onEnd(error);
  }
  #stop(): void {
    this.#ended = true;
    this.#reader.stop();
    clearInterval(this.#heart);
  }
}
