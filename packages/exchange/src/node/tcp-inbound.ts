/** The consuming end of a channel over TCP, and the producer that a connection brought for it. */
import { Grant } from "../credit.ts";
import { fail } from "../fail.ts";
import { FrameQueue } from "../frame-queue.ts";
import { Hints } from "../hints.ts";
import { TakenFrames } from "../taken-frames.ts";
import type { ChannelId, Frame, InboundChannel } from "../transport.ts";
import type { Connection } from "./connection.ts";
import { encodeU32 } from "./payloads.ts";
import { Sequence } from "./sequence.ts";
import { FrameType } from "./wire.ts";

const nothing = new Uint8Array(0);
/**
 * A quarter of the window is worth a frame at the end of the turn; less is told `laterMs` later, which only a producer feels that needs
 * more than the other three quarters at once.
 */
const creditShare = 0.25;
const laterMs = 1;

/** A channel as its connection knows it, from its opening on; maybe before the consumer is there. */
export class Producer {
  readonly name: string;
  readonly connection: Connection;
  /** The opening was the first of its frames. */
  readonly received = new Sequence(1);
  /** Set when it went away before the consumer came. */
  lost: { readonly error: unknown } | undefined;
  inbound: TcpInbound | undefined;
  readonly #number: number;
  readonly #sent = new Sequence();

  constructor(name: string, connection: Connection, number: number) {
    this.name = name;
    this.connection = connection;
    this.#number = number;
  }
  send(type: number, payload: Uint8Array): void {
    this.connection.send({ type, channel: this.#number, sequence: this.#sent.next(), payload });
  }
  lose(error: unknown): void {
    if (this.inbound === undefined) this.lost = { error };
    else this.inbound.lost(error);
  }
}

export class TcpInbound implements InboundChannel {
  readonly id: ChannelId;
  readonly #queue = new FrameQueue();
  readonly #grant = new Grant();
  readonly #hintsEarly = new Hints();
  readonly #taken = new TakenFrames((payload) => this.#producer?.connection.pool.give(payload));
  #producer: Producer | undefined;
  /** Granted and not told yet. */
  #untold = 0;
  #window = 0;
  /** It will be told at the end of the turn, or a little later. */
  #telling = false;
  #later: NodeJS.Timeout | undefined;
  #onFrame: (() => void) | undefined;
  #onFailure: ((error: unknown) => void) | undefined;
  #closed = false;

  constructor(id: ChannelId) {
    this.id = id;
  }
  get queuedBytes(): number {
    return this.#queue.bytes;
  }
  get joined(): boolean {
    return this.#producer !== undefined;
  }
  take(): Frame | undefined {
    const frame = this.#queue.shift();
    if (frame !== undefined) this.#taken.push(frame);
    return frame;
  }
  grant(bytes: number): void {
    if (this.#closed || bytes === 0) return;
    this.#taken.grant(bytes);
    this.#grant.given(bytes);
    this.#untold += bytes;
    if (this.#window === 0) this.#window = bytes;
    if (this.#producer === undefined || this.#telling) return;
    if (this.#untold < this.#window * creditShare) {
      this.#later ??= setTimeout(tell, laterMs, this);
      return;
    }
    this.#telling = true;
    process.nextTick(tell, this);
  }
  sendHint(payload: Uint8Array): void {
    if (this.#closed) return;
    if (this.#producer === undefined) this.#hintsEarly.push(payload);
    else this.#producer.send(FrameType.hint, payload);
  }
  onFrame(listener: () => void): void {
    this.#onFrame = listener;
  }
  onFailure(listener: (error: unknown) => void): void {
    this.#onFailure = listener;
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#later);
    this.#queue.clear();
    this.#producer?.send(FrameType.close, nothing);
  }
  join(producer: Producer): void {
    this.#producer = producer;
    producer.inbound = this;
    // The consumer has gone before its producer came.
    if (this.#closed) return producer.send(FrameType.close, nothing);
    this.tell();
    for (const hint of this.#hintsEarly.take()) producer.send(FrameType.hint, hint);
  }
  /** Sends the credit that the producer does not know of. */
  tell(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#telling = false;
    const bytes = this.#untold;
    if (bytes === 0 || this.#closed) return;
    this.#untold = 0;
    this.#producer?.send(FrameType.credit, encodeU32(bytes));
  }
  /** Throws when a payload of that size was not granted. */
  checkCredit(payloadBytes: number): void {
    this.#grant.check(payloadBytes);
  }
  arrive(frame: Frame): void {
    this.#grant.arrived(frame.payload.length);
    if (!this.#closed && this.#queue.push(frame)) this.#onFrame?.();
  }
  lost(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#later);
    this.#onFailure?.(
      fail("EXCHANGE_PEER_LOST", {
        fields: { edge: this.id.edge, from: this.id.from, to: this.id.to },
        cause: error,
      }),
    );
  }
}

function tell(inbound: TcpInbound): void {
  inbound.tell();
}
