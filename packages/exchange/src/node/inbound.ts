/** The listening side: channels that wait for their producers, and the connections that bring them. */
import { fail } from "../fail.ts";
import { FrameQueue } from "../frame-queue.ts";
import type { ChannelId, Frame, FrameKind, InboundChannel } from "../transport.ts";
import { type Connection, decodeJson, encodeU32, FrameType } from "./connection.ts";

const nothing = new Uint8Array(0);

/** All inbound channels of a slot, by name and by the number that their connection gave them. */
export class InboundTable {
  readonly #byName = new Map<string, TcpInbound>();
  readonly #byConnection = new Map<Connection, Map<number, TcpInbound>>();
  /** Producers that opened a channel which this slot has not opened yet. */
  readonly #early = new Map<string, { readonly connection: Connection; readonly number: number }>();

  open(id: ChannelId): TcpInbound {
    const inbound = new TcpInbound(id);
    this.#byName.set(nameOf(id), inbound);
    const early = this.#early.get(nameOf(id));
    if (early !== undefined) {
      this.#early.delete(nameOf(id));
      this.#join(inbound, early.connection, early.number);
    }
    return inbound;
  }

  /** Throws when the frame is not acceptable: the connection ends. */
  frame(
    connection: Connection,
    scope: string,
    frame: { readonly type: number; readonly channel: number; readonly payload: Uint8Array },
  ): void {
    const channels = this.#byConnection.get(connection);
    if (channels === undefined) {
      const hello =
        frame.type === FrameType.hello
          ? (decodeJson(frame.payload) as { readonly scope?: unknown })
          : {};
      if (hello.scope !== scope)
        throw fail("EXCHANGE_CORRUPT", { fields: { reason: "a peer of another attempt" } });
      this.#byConnection.set(connection, new Map());
      return;
    }
    if (frame.type >= FrameType.data) {
      const inbound = channels.get(frame.channel);
      if (inbound === undefined)
        throw fail("EXCHANGE_CORRUPT", {
          fields: { reason: "data for a channel that is not open" },
        });
      inbound.arrive({ kind: (frame.type - FrameType.data) as FrameKind, payload: frame.payload });
    } else if (frame.type === FrameType.open) {
      const id = decodeJson(frame.payload) as ChannelId;
      const inbound = this.#byName.get(nameOf(id));
      if (inbound === undefined) this.#early.set(nameOf(id), { connection, number: frame.channel });
      else this.#join(inbound, connection, frame.channel);
    } else if (frame.type === FrameType.close) {
      channels.get(frame.channel)?.lost(undefined);
      channels.delete(frame.channel);
    }
  }

  lost(connection: Connection, error: unknown): void {
    for (const inbound of this.#byConnection.get(connection)?.values() ?? []) inbound.lost(error);
    this.#byConnection.delete(connection);
  }

  #join(inbound: TcpInbound, connection: Connection, number: number): void {
    this.#byConnection.get(connection)?.set(number, inbound);
    inbound.join(connection, number);
  }
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
