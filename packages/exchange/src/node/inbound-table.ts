/** The listening side: channels that wait for their producers, and the connections that bring them. */
import { fail } from "../fail.ts";
import { type ChannelId, FrameKind, type FrameKind as FrameKindCode } from "../transport.ts";
import type { Connection } from "./connection.ts";
import { decodeJson } from "./payloads.ts";
import { Producer, TcpInbound } from "./tcp-inbound.ts";
import { type FrameHead, FrameType, protocolVersion, type WireFrame } from "./wire.ts";

/** Channels opened by peers before this slot has opened them: those of one deployment, which is on its way here. */
const maxEarly = 16_384;
const kinds: ReadonlySet<number> = new Set(Object.values(FrameKind));

/** All inbound channels of a slot, by name and by the number that their connection gave them. */
export class InboundTable {
  readonly #scope: string;
  readonly #byName = new Map<string, TcpInbound>();
  readonly #byConnection = new Map<Connection, Map<number, Producer>>();
  readonly #early = new Map<string, Producer>();

  constructor(scope: string) {
    this.#scope = scope;
  }

  open(id: ChannelId): TcpInbound {
    const inbound = new TcpInbound(id);
    const name = nameOf(id);
    this.#byName.set(name, inbound);
    const early = this.#early.get(name);
    if (early === undefined) return inbound;
    this.#early.delete(name);
    const { lost } = early;
    // The consumer sets its listener after this call.
    if (lost !== undefined) setImmediate(() => inbound.lost(lost.error));
    else inbound.join(early);
    return inbound;
  }

  /** True once the peer has said who it is. */
  greeted(connection: Connection): boolean {
    return this.#byConnection.has(connection);
  }
  /** Throws when the payload is not worth waiting for: nobody may make this slot hold what it did not grant. */
  head(connection: Connection, { type, channel, payloadBytes }: FrameHead): void {
    const channels = this.#byConnection.get(connection);
    if (channels === undefined) {
      if (type !== FrameType.hello && type !== FrameType.ping) throw corrupt("no hello");
    } else if (type >= FrameType.data) dataChannel(channels.get(channel)).checkCredit(payloadBytes);
  }
  /** Throws when the frame is not acceptable: the connection ends. */
  frame(connection: Connection, frame: WireFrame): void {
    const channels = this.#byConnection.get(connection);
    if (channels === undefined) {
      acceptHello(frame, this.#scope);
      this.#byConnection.set(connection, new Map());
      return;
    }
    const producer = channels.get(frame.channel);
    if (frame.type === FrameType.open) {
      if (producer !== undefined) throw corrupt("a channel number that is in use");
      channels.set(frame.channel, this.#opened(connection, frame));
      return;
    }
    if (producer === undefined) throw corrupt("a frame for a channel that is not open");
    producer.received.expect(frame.sequence);
    if (frame.type === FrameType.close) {
      producer.lose(undefined);
      channels.delete(frame.channel);
      return;
    }
    const kind = frame.type - FrameType.data;
    if (!kinds.has(kind)) throw corrupt("unexpected frame");
    dataChannel(producer).arrive({ kind: kind as FrameKindCode, payload: frame.payload });
  }

  lost(connection: Connection, error: unknown): void {
    for (const producer of this.#byConnection.get(connection)?.values() ?? []) producer.lose(error);
    this.#byConnection.delete(connection);
  }

  #opened(connection: Connection, { channel, sequence, payload }: WireFrame): Producer {
    if (sequence !== 0) throw corrupt("an opening that is not a channel's first frame");
    const name = nameOf(decodeId(payload));
    const inbound = this.#byName.get(name);
    if (inbound?.joined === true || this.#early.has(name))
      throw corrupt("a channel that has its producer");
    const producer = new Producer(name, connection, channel);
    if (inbound !== undefined) inbound.join(producer);
    else if (this.#early.size >= maxEarly) throw corrupt("too many channels that nobody opened");
    else this.#early.set(name, producer);
    return producer;
  }
}

function dataChannel(producer: Producer | undefined): TcpInbound {
  if (producer === undefined) throw corrupt("a frame for a channel that is not open");
  if (producer.inbound === undefined) throw corrupt("data without credit");
  return producer.inbound;
}
function acceptHello({ type, payload }: WireFrame, scope: string): void {
  if (type !== FrameType.hello) throw corrupt("no hello");
  const hello = decodeJson(payload) as {
    readonly scope?: unknown;
    readonly version?: unknown;
  } | null;
  if (hello?.version !== protocolVersion) throw corrupt("a peer of another version");
  if (hello.scope !== scope) throw corrupt("a peer of another attempt");
}
function decodeId(payload: Uint8Array): ChannelId {
  const id = decodeJson(payload) as Partial<ChannelId> | null;
  if (
    typeof id?.edge !== "string" ||
    !Number.isSafeInteger(id.from) ||
    !Number.isSafeInteger(id.to)
  )
    throw fail("EXCHANGE_BAD_FRAME", { fields: { event: "channel id" } });
  return id as ChannelId;
}
function corrupt(reason: string): Error {
  return fail("EXCHANGE_CORRUPT", { fields: { reason } });
}
function nameOf(id: ChannelId): string {
  return `${id.edge} ${id.from} ${id.to}`;
}
