/**
 * The transport within one process: both ends are objects, delivery is a callback of the host's loop. For tests, jobs run in one
 * process, and the simulation, which delays and cuts links through `deliver`.
 *
 * LOC-1  Delivery is asynchronous: nothing of the other end runs inside `send`, `grant` or `sendHint`.
 * LOC-2  What arrives without having been granted fails the channel, as over TCP (TRN-2).
 * LOC-3  Ends meet by (scope, address, channel); another scope (attempt) never meets them (TRN-5).
 * LOC-4  What has been granted is written over at once, so that whoever reads on shows (TRN-6).
 */
import type { Timers } from "@millrace/base";
import { Credit, Grant } from "./credit.ts";
import { fail } from "./fail.ts";
import { FrameQueue } from "./frame-queue.ts";
import { Hints } from "./hints.ts";
import { TakenFrames } from "./taken-frames.ts";
import type {
  ChannelId,
  Frame,
  FrameKind,
  InboundChannel,
  OutboundChannel,
  Transport,
} from "./transport.ts";

export interface LocalNetworkHooks {
  /** Runs `deliver` later, once; calls of one link (same `from` and `to`) must keep their order. Dropping one means cutting the link. */
  deliver(link: { readonly from: string; readonly to: string }, deliver: () => void): void;
}

export interface LocalNetwork {
  /** A door at `address`; `scope` keeps attempts apart. */
  transport(address: { readonly host: string; readonly port: number }, scope: string): Transport;
  /** All connections to the door at `host:port` break: what is on its way is lost, both ends are told. */
  cut(address: string): void;
}

interface Line {
  inbound: LocalInbound | undefined;
  outbound: LocalOutbound | undefined;
  /** The producer's door; until it has opened, a name for it. */
  from: string;
  readonly to: string;
  cut: boolean;
  /** Grants and hints given before the producer opened. */
  grantedEarly: number;
  readonly hintsEarly: Hints;
}

export function createLocalNetwork(timers: Timers, hooks?: LocalNetworkHooks): LocalNetwork {
  const lines = new Map<string, Line>();
  const deliver: LocalNetworkHooks["deliver"] =
    hooks === undefined ? (_link, fn) => timers.soon(fn) : (link, fn) => hooks.deliver(link, fn);
  const lineOf = (key: string, to: string): Line => {
    const known = lines.get(key);
    if (known !== undefined) return known;
    const line: Line = {
      inbound: undefined,
      outbound: undefined,
      from: `>${to}`,
      to,
      cut: false,
      grantedEarly: 0,
      hintsEarly: new Hints(),
    };
    lines.set(key, line);
    return line;
  };
  const carry =
    (line: Line): LocalNetworkHooks["deliver"] =>
    (link, fn) =>
      deliver(link, () => {
        if (!line.cut) fn();
      });
  return {
    cut(address) {
      for (const line of lines.values()) {
        if (line.to !== address || line.cut) continue;
        line.cut = true;
        const { inbound, outbound, from, to } = line;
        deliver({ from, to }, () => inbound?.peerLost());
        deliver({ from: to, to: from }, () => outbound?.peerLost());
      }
    },
    transport(address, scope) {
      const own = `${address.host}:${address.port}`;
      const opened: (LocalInbound | LocalOutbound)[] = [];
      return {
        address,
        openOutbound(id, peer) {
          const to = `${peer.host}:${peer.port}`;
          const key = keyOf(scope, to, id);
          const line = lineOf(key, to);
          line.from = own;
          const outbound = new LocalOutbound(id, line, carry(line), () => lines.delete(key));
          opened.push(outbound);
          return outbound;
        },
        openInbound(id, initialCreditBytes) {
          const key = keyOf(scope, own, id);
          const line = lineOf(key, own);
          const inbound = new LocalInbound(id, line, carry(line), () => lines.delete(key));
          opened.push(inbound);
          inbound.grant(initialCreditBytes);
          return inbound;
        },
        async close() {
          for (const end of opened) end.close();
        },
      };
    },
  };
}

function keyOf(scope: string, address: string, id: ChannelId): string {
  return `${scope} ${address} ${id.edge} ${id.from} ${id.to}`;
}

class LocalOutbound implements OutboundChannel {
  readonly id: ChannelId;
  readonly #line: Line;
  readonly #deliver: LocalNetworkHooks["deliver"];
  readonly #forget: () => void;
  readonly #credit = new Credit();
  #onCredit: (() => void) | undefined;
  #onFailure: ((error: unknown) => void) | undefined;
  readonly #hints = new Hints();
  #closed = false;

  constructor(
    id: ChannelId,
    line: Line,
    deliver: LocalNetworkHooks["deliver"],
    forget: () => void,
  ) {
    this.id = id;
    this.#line = line;
    this.#deliver = deliver;
    this.#forget = forget;
    line.outbound = this;
    if (line.grantedEarly > 0) this.granted(line.grantedEarly);
    for (const hint of line.hintsEarly.take()) this.#hints.push(hint);
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
    const sent = payload.slice();
    // Bytes of its own for each delivery: a network that doubles frames doubles bytes.
    this.#deliver({ from: this.#line.from, to: this.#line.to }, () =>
      this.#line.inbound?.arrive({ kind, payload: sent.slice() }),
    );
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
    this.#line.outbound = undefined;
    this.#forget();
    this.#deliver({ from: this.#line.from, to: this.#line.to }, () =>
      this.#line.inbound?.peerLost(),
    );
  }
  granted(bytes: number): void {
    if (this.#closed) return;
    this.#credit.grant(bytes);
    this.#onCredit?.();
  }
  hinted(payload: Uint8Array): void {
    if (this.#closed) return;
    this.#hints.heard(payload);
  }
  peerLost(): void {
    if (!this.#closed)
      this.#onFailure?.(
        fail("EXCHANGE_PEER_LOST", {
          fields: { edge: this.id.edge, from: this.id.from, to: this.id.to },
        }),
      );
  }
}

class LocalInbound implements InboundChannel {
  readonly id: ChannelId;
  readonly #line: Line;
  readonly #deliver: LocalNetworkHooks["deliver"];
  readonly #forget: () => void;
  readonly #queue = new FrameQueue();
  readonly #taken = new TakenFrames((payload) => payload.fill(0xdd));
  readonly #grant = new Grant();
  #onFrame: (() => void) | undefined;
  #onFailure: ((error: unknown) => void) | undefined;
  #closed = false;

  constructor(
    id: ChannelId,
    line: Line,
    deliver: LocalNetworkHooks["deliver"],
    forget: () => void,
  ) {
    this.id = id;
    this.#line = line;
    this.#deliver = deliver;
    this.#forget = forget;
    line.inbound = this;
  }
  get queuedBytes(): number {
    return this.#queue.bytes;
  }
  take(): Frame | undefined {
    const frame = this.#queue.shift();
    if (frame !== undefined) this.#taken.push(frame);
    return frame;
  }
  grant(bytes: number): void {
    if (this.#closed) return;
    this.#taken.grant(bytes);
    this.#grant.given(bytes);
    this.#deliver({ from: this.#line.to, to: this.#line.from }, () => {
      if (this.#line.outbound === undefined) this.#line.grantedEarly += bytes;
      else this.#line.outbound.granted(bytes);
    });
  }
  sendHint(payload: Uint8Array): void {
    if (this.#closed) return;
    this.#deliver({ from: this.#line.to, to: this.#line.from }, () => {
      if (this.#line.outbound === undefined) this.#line.hintsEarly.push(payload);
      else this.#line.outbound.hinted(payload);
    });
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
    this.#line.inbound = undefined;
    this.#forget();
    this.#deliver({ from: this.#line.to, to: this.#line.from }, () =>
      this.#line.outbound?.peerLost(),
    );
  }
  arrive(frame: Frame): void {
    if (this.#closed) return;
    try {
      this.#grant.arrived(frame.payload.length);
    } catch (error) {
      this.peerLost(error);
      this.close();
      return;
    }
    if (this.#queue.push(frame)) this.#onFrame?.();
  }
  peerLost(cause?: unknown): void {
    if (!this.#closed)
      this.#onFailure?.(
        fail("EXCHANGE_PEER_LOST", {
          fields: { edge: this.id.edge, from: this.id.from, to: this.id.to },
          cause,
        }),
      );
  }
}
