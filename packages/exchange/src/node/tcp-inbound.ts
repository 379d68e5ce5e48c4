/** The consuming end of a channel over TCP, and the producer that a connection brought for it. */
import { Grant } from "../credit.ts";
import { fail } from "../fail.ts";
import { FrameQueue } from "../frame-queue.ts";
import { Hints } from "../hints.ts";
import type { ChannelId, Frame, InboundChannel } from "../transport.ts";
import { type Connection, FrameType } from "./connection.ts";
import { encodeU32 } from "./payloads.ts";
import { Sequence } from "./sequence.ts";

const nothing = new Uint8Array(0);

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
  #producer: Producer | undefined;
  #grantedEarly = 0;
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
    return this.#queue.shift();
  }
  grant(bytes: number): void {
    if (this.#closed || bytes === 0) return;
    this.#grant.given(bytes);
    if (this.#producer === undefined) this.#grantedEarly += bytes;
    else this.#producer.send(FrameType.credit, encodeU32(bytes));
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
    this.#queue.clear();
    this.#producer?.send(FrameType.close, nothing);
  }
  join(producer: Producer): void {
    this.#producer = producer;
    producer.inbound = this;
    // The consumer has gone before its producer came.
    if (this.#closed) return producer.send(FrameType.close, nothing);
    if (this.#grantedEarly > 0) producer.send(FrameType.credit, encodeU32(this.#grantedEarly));
    for (const hint of this.#hintsEarly.take()) producer.send(FrameType.hint, hint);
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
    this.#onFailure?.(
      fail("EXCHANGE_PEER_LOST", {
        fields: { edge: this.id.edge, from: this.id.from, to: this.id.to },
        cause: error,
      }),
    );
  }
}
