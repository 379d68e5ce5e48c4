/** The dialling side: one connection to a slot, and the channels that this slot produces on it. */
import { connect, type Socket } from "node:net";
import { Credit } from "../credit.ts";
import { fail } from "../fail.ts";
import { Hints } from "../hints.ts";
import type { ChannelId, FrameKind, OutboundChannel } from "../transport.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { Connection } from "./connection.ts";
import { decodeU32, encodeJson } from "./payloads.ts";
import { Sequence } from "./sequence.ts";
import { FrameType, protocolVersion, type WireFrame } from "./wire.ts";

/** The other slot listened before its address was given out: a refusal is an end, silence is a network that does not carry. */
const connectTimeoutMs = 5_000;
const nothing = new Uint8Array(0);

export class Link {
  readonly #socket: Socket;
  readonly #connection: Connection;
  readonly #channels: TcpOutbound[] = [];
  #lost: { readonly error: unknown } | undefined;

  constructor(
    peer: { readonly host: string; readonly port: number },
    options: { readonly scope: string; readonly heartbeatMs: number; readonly pool: BufferPool },
  ) {
    this.#socket = connect({
      host: peer.host,
      port: peer.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 10_000,
    });
    const watchdog = setTimeout(
      () =>
        this.#socket.destroy(
          new Error(`no connection to ${peer.host}:${peer.port} within ${connectTimeoutMs} ms`),
        ),
      connectTimeoutMs,
    );
    this.#socket.once("connect", () => clearTimeout(watchdog));
    const onEnd = (error: unknown) => {
      clearTimeout(watchdog);
      this.#lost = { error };
      for (const channel of this.#channels) channel.lost(error);
    };
    this.#connection = new Connection(
      this.#socket,
      { onHead: refuseData, onFrame: (frame) => this.#frame(frame), onEnd },
      options,
    );
    this.#connection.send({
      type: FrameType.hello,
      channel: 0,
      sequence: 0,
      payload: encodeJson({ scope: options.scope, version: protocolVersion }),
    });
  }

  open(id: ChannelId): OutboundChannel {
    const channel = new TcpOutbound(id, this.#connection, this.#channels.length);
    this.#channels.push(channel);
    channel.open();
    const lost = this.#lost;
    if (lost !== undefined) setImmediate(() => channel.lost(lost.error));
    return channel;
  }
  /** Sends what is written, then closes. */
  close(): void {
    for (const channel of this.#channels) channel.close();
    this.#connection.end();
  }
  destroy(): void {
    this.#connection.destroy();
  }

  #frame({ type, channel: number, sequence, payload }: WireFrame): void {
    const channel = this.#channels[number];
    if (channel === undefined)
      throw fail("EXCHANGE_CORRUPT", {
        fields: { reason: "control for a channel that is not open" },
      });
    channel.received.expect(sequence);
    switch (type) {
      case FrameType.credit:
        return channel.granted(decodeU32(payload));
      case FrameType.hint:
        return channel.hinted(payload);
      case FrameType.close:
        return channel.lost(undefined);
      default:
        throw fail("EXCHANGE_CORRUPT", { fields: { reason: "unexpected frame", type } });
    }
  }
}

/** Data goes the other way: a listener that sends some is not waited for. */
function refuseData({ type }: { readonly type: number }): void {
  if (type >= FrameType.data)
    throw fail("EXCHANGE_CORRUPT", { fields: { reason: "unexpected frame", type } });
}

class TcpOutbound implements OutboundChannel {
  readonly id: ChannelId;
  readonly received = new Sequence();
  readonly #sent = new Sequence();
  readonly #connection: Connection;
  readonly #number: number;
  readonly #credit = new Credit();
  #onCredit: (() => void) | undefined;
  #onFailure: ((error: unknown) => void) | undefined;
  readonly #hints = new Hints();
  #closed = false;

  constructor(id: ChannelId, connection: Connection, number: number) {
    this.id = id;
    this.#connection = connection;
    this.#number = number;
  }
  get credit(): number {
    return this.#credit.bytes;
  }
  mayGo(payloadBytes: number): boolean {
    return this.#credit.covers(payloadBytes);
  }
  send(kind: FrameKind, payload: Uint8Array): void {
    if (this.#closed) return;
    this.#credit.spend(payload.length, this.id.edge);
    this.#send(FrameType.data + kind, payload);
  }
  onCredit(listener: () => void): void {
    this.#onCredit = listener;
  }
  onHint(listener: (payload: Uint8Array) => void): void {
    this.#hints.listen(listener);
  }
  onFailure(listener: (error: unknown) => void): void {
    this.#onFailure = listener;
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#send(FrameType.close, nothing);
  }
  open(): void {
    this.#send(FrameType.open, encodeJson(this.id));
  }
  granted(bytes: number): void {
    if (this.#closed) return;
    this.#credit.grant(bytes);
    this.#onCredit?.();
  }
  hinted(payload: Uint8Array): void {
    this.#hints.heard(payload);
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
  #send(type: number, payload: Uint8Array): void {
    this.#connection.send({ type, channel: this.#number, sequence: this.#sent.next(), payload });
  }
}
