/** The listening side: channels that wait for their producers, and the connections that bring them. */
import { fail } from "../fail.ts";
import { FrameQueue } from "../frame-queue.ts";
import {
  type ChannelId,
  type Frame,
  FrameKind,
  type FrameKind as FrameKindCode,
  type InboundChannel,
} from "../transport.ts";
import {
  type Connection,
  decodeJson,
  encodeU32,
  FrameType,
  protocolVersion,
} from "./connection.ts";

const nothing = new Uint8Array(0);
const kinds: ReadonlySet<number> = new Set(Object.values(FrameKind));

/** A producer that opened a channel which this slot has not opened yet. */
interface Early {
  readonly name: string;
  readonly connection: Connection;
  readonly number: number;
  /** Set when it went away before the consumer came. */
  lost: { readonly error: unknown } | undefined;
}
interface ReceivedFrame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Uint8Array;
}

/** All inbound channels of a slot, by name and by the number that their connection gave them. */
export class InboundTable {
  readonly #byName = new Map<string, TcpInbound>();
  readonly #byConnection = new Map<Connection, Map<number, TcpInbound | Early>>();
  readonly #early = new Map<string, Early>();

  open(id: ChannelId): TcpInbound {
    const inbound = new TcpInbound(id);
    this.#byName.set(nameOf(id), inbound);
    const early = this.#early.get(nameOf(id));
    if (early === undefined) return inbound;
    this.#early.delete(early.name);
    const { lost } = early;
    // The consumer sets its listener after this call.
    if (lost !== undefined) setImmediate(() => inbound.lost(lost.error));
    else {
      this.#byConnection.get(early.connection)?.set(early.number, inbound);
      inbound.join(early.connection, early.number);
    }
    return inbound;
  }

  /** Throws when the frame is not acceptable: the connection ends. */
  frame(connection: Connection, scope: string, frame: ReceivedFrame): void {
    const channels = this.#byConnection.get(connection);
    if (channels === undefined) {
      acceptHello(frame, scope);
      this.#byConnection.set(connection, new Map());
      return;
    }
    const channel = channels.get(frame.channel);
    if (frame.type === FrameType.open) {
      if (channel !== undefined) throw corrupt("a channel number that is in use");
      channels.set(frame.channel, this.#opened(connection, frame));
    } else if (channel === undefined) throw corrupt("a frame for a channel that is not open");
    else if (frame.type === FrameType.close) {
      lose(channel, undefined);
      channels.delete(frame.channel);
    } else {
      const kind = frame.type - FrameType.data;
      if (!kinds.has(kind)) throw corrupt("unexpected frame");
      if (!(channel instanceof TcpInbound)) throw corrupt("data without credit");
      channel.arrive({ kind: kind as FrameKindCode, payload: frame.payload });
    }
  }

  lost(connection: Connection, error: unknown): void {
    for (const channel of this.#byConnection.get(connection)?.values() ?? []) lose(channel, error);
    this.#byConnection.delete(connection);
  }

  #opened(connection: Connection, frame: ReceivedFrame): TcpInbound | Early {
    const name = nameOf(decodeId(frame.payload));
    const inbound = this.#byName.get(name);
    if (inbound?.joined === true || this.#early.has(name))
      throw corrupt("a channel that has its producer");
    if (inbound !== undefined) {
      inbound.join(connection, frame.channel);
      return inbound;
    }
    const early: Early = { name, connection, number: frame.channel, lost: undefined };
    this.#early.set(name, early);
    return early;
  }
}

function lose(channel: TcpInbound | Early, error: unknown): void {
  if (channel instanceof TcpInbound) channel.lost(error);
  else channel.lost = { error };
}
function acceptHello({ type, payload }: ReceivedFrame, scope: string): void {
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

export class TcpInbound implements InboundChannel {
  readonly id: ChannelId;
  readonly #queue = new FrameQueue();
  #connection: Connection | undefined;
  #number = 0;
  #grantedEarly = 0;
  #hintsEarly: Uint8Array[] = [];
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
    return this.#connection !== undefined;
  }
  take(): Frame | undefined {
    return this.#queue.shift();
  }
  grant(bytes: number): void {
    if (this.#closed || bytes === 0) return;
    if (this.#connection === undefined) this.#grantedEarly += bytes;
    else this.#connection.send(FrameType.credit, this.#number, encodeU32(bytes));
  }
  sendHint(payload: Uint8Array): void {
    if (this.#closed) return;
    if (this.#connection === undefined) this.#hintsEarly.push(payload);
    else this.#connection.send(FrameType.hint, this.#number, payload);
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
    this.#connection?.send(FrameType.close, this.#number, nothing);
  }
  join(connection: Connection, number: number): void {
    this.#connection = connection;
    this.#number = number;
    // The consumer has gone before its producer came.
    if (this.#closed) connection.send(FrameType.close, number, nothing);
    const granted = this.#grantedEarly;
    this.#grantedEarly = 0;
    this.grant(granted);
    for (const hint of this.#hintsEarly.splice(0)) this.sendHint(hint);
  }
  arrive(frame: Frame): void {
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

function nameOf(id: ChannelId): string {
  return `${id.edge} ${id.from} ${id.to}`;
}
