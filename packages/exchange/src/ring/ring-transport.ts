/**
 * The transport through rings, between slots that share memory. The consumer makes the ring and hands it to the producer; data and credit
 * are in the ring, what is rare (openings, hints, closes) are messages. Who is woken when, and what carries messages, is the host's.
 *
 * RTR-1  Nothing of the other end runs inside `send`, `grant` or `sendHint`; listeners are called in `poll` and `receive`.
 * RTR-2  Bound: a ring per channel, as large as the channel's window (`ringCapacity`); a large row's copy at each end (RNG-3).
 * RTR-3  What the writer had written is there before its end is told (TRN-4).
 */
import { Hints } from "../hints.ts";
import type { ChannelId, InboundChannel, OutboundChannel, Transport } from "../transport.ts";
import { ringCapacity, ringMemoryBytes } from "./ring.ts";
import { RingInbound, type RingLine, RingOutbound } from "./ring-channel.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}
/** What ends say to each other outside the ring; `channel` names it, with its attempt. */
export type RingMessage =
  | { readonly kind: "open"; readonly channel: string; readonly memory: ArrayBufferLike }
  | { readonly kind: "hint"; readonly channel: string; readonly payload: Uint8Array }
  /** From its consumer, or from its producer. */
  | { readonly kind: "close"; readonly channel: string; readonly from: "consumer" | "producer" };

/** Another slot, or this one: the way to it. */
export interface RingPeer {
  /** Memory that both see, all 0. */
  allocate(bytes: number): ArrayBufferLike;
  /** Delivered to its `receive`, in order, never inside this call. */
  post(message: RingMessage): void;
  /** Its `poll` is to be called once this turn has ended. Called for every frame and grant. */
  ring(): void;
}

export interface RingTransportOptions {
  readonly address: Address;
  /** Text that both ends must share: job, epoch and attempt. */
  readonly scope: string;
  /** The slots that can be reached, by `addressKey`. */
  peer(key: string): RingPeer | undefined;
  /** Calls later, once. */
  soon(call: () => void): void;
  /** Bytes of the smallest ring, a power of two from 64 on; default: room for a usual batch. */
  readonly leastRingBytes?: number;
}

interface Opened<End> {
  readonly end: End;
  readonly peer: string;
}
/** What has come from a consumer before its producer opened. */
interface Early {
  readonly memory: ArrayBufferLike;
  readonly hints: Hints;
  closed: boolean;
}

export function addressKey({ host, port }: Address): string {
  return `${host}:${port}`;
}

export class RingTransport implements Transport {
  readonly address: Address;
  readonly #options: RingTransportOptions;
  readonly #inbounds = new Map<string, Opened<RingInbound>>();
  readonly #outbounds = new Map<string, Opened<RingOutbound>>();
  readonly #early = new Map<string, Early>();
  /** Channels whose producers have gone before their consumers opened. */
  readonly #gone = new Set<string>();
  readonly #lost = new Map<string, unknown>();

  constructor(options: RingTransportOptions) {
    this.address = options.address;
    this.#options = options;
  }

  openOutbound(id: ChannelId, to: Address): OutboundChannel {
    const channel = this.#nameOf(id);
    const peer = addressKey(to);
    const line = this.#lineTo(peer, channel, "producer");
    const end = new RingOutbound(id, line);
    this.#outbounds.set(channel, { end, peer });
    const early = this.#early.get(channel);
    this.#early.delete(channel);
    if (early !== undefined) {
      end.join(early.memory);
      for (const hint of early.hints.take()) end.hinted(hint);
    }
    // The producer sets its listeners after this call.
    this.#options.soon(() => {
      end.poll();
      if (early?.closed === true || this.#lost.has(peer)) end.lost(this.#lost.get(peer));
    });
    return end;
  }
  openInbound(id: ChannelId, initialCreditBytes: number, from: Address): InboundChannel {
    const channel = this.#nameOf(id);
    const peer = addressKey(from);
    const way = this.#way(peer);
    const capacity = ringCapacity(initialCreditBytes, this.#options.leastRingBytes);
    const memory = way.allocate(ringMemoryBytes(capacity));
    const end = new RingInbound(id, this.#lineTo(peer, channel, "consumer"), memory);
    this.#inbounds.set(channel, { end, peer });
    end.grant(initialCreditBytes);
    way.post({ kind: "open", channel, memory });
    if (this.#gone.delete(channel) || this.#lost.has(peer))
      this.#options.soon(() => end.lost(this.#lost.get(peer)));
    return end;
  }

  /** Looks at all rings and calls who has something to do; true when there was something. */
  poll(): boolean {
    let found = false;
    for (const { end } of this.#outbounds.values()) if (end.poll()) found = true;
    for (const { end } of this.#inbounds.values()) if (end.poll()) found = true;
    return found;
  }
  /** A message that another slot, or this one, has posted. */
  receive(message: RingMessage): void {
    const { channel } = message;
    if (message.kind === "close" && message.from === "producer") {
      const inbound = this.#inbounds.get(channel)?.end;
      if (inbound === undefined) this.#gone.add(channel);
      this.#inbounds.delete(channel);
      inbound?.poll();
      inbound?.lost(undefined);
      return;
    }
    const outbound = this.#outbounds.get(channel)?.end;
    if (outbound === undefined) this.#keep(message);
    else if (message.kind === "open") {
      outbound.join(message.memory);
      outbound.poll();
    } else if (message.kind === "hint") outbound.hinted(message.payload);
    else {
      this.#outbounds.delete(channel);
      outbound.lost(undefined);
    }
  }
  /** The slot of that address has gone; what it had written before is there. */
  peerLost(peer: string, error: unknown): void {
    this.#lost.set(peer, error);
    this.poll();
    for (const ends of [this.#inbounds, this.#outbounds]) {
      for (const [channel, { end, peer: other }] of ends) {
        if (other !== peer) continue;
        ends.delete(channel);
        end.lost(error);
      }
    }
  }
  async close(): Promise<void> {
    for (const { end } of [...this.#inbounds.values(), ...this.#outbounds.values()]) end.close();
    this.#early.clear();
  }

  #lineTo(peer: string, channel: string, from: "consumer" | "producer"): RingLine {
    const way = this.#way(peer);
    return {
      ring: () => way.ring(),
      hint: (payload) => way.post({ kind: "hint", channel, payload }),
      close: () => {
        (from === "consumer" ? this.#inbounds : this.#outbounds).delete(channel);
        way.post({ kind: "close", channel, from });
      },
    };
  }
  #way(peer: string): RingPeer {
    const way = this.#options.peer(peer);
    if (way === undefined) throw new RangeError(`no rings to ${peer}`);
    return way;
  }
  /** For a producer that has not opened yet. One that has closed hears no more; the opening is the first that it would have heard. */
  #keep(message: RingMessage): void {
    const { channel } = message;
    if (message.kind === "open")
      this.#early.set(channel, { memory: message.memory, hints: new Hints(), closed: false });
    else if (message.kind === "hint") this.#early.get(channel)?.hints.push(message.payload);
    else {
      const early = this.#early.get(channel);
      if (early !== undefined) early.closed = true;
    }
  }
  #nameOf({ edge, from, to }: ChannelId): string {
    return `${this.#options.scope} ${edge} ${from} ${to}`;
  }
}
