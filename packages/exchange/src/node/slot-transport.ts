/**
 * The transport of a slot: rings to itself and to the other slots of its runner, TCP to all others. Who uses it knows no difference.
 *
 * SLO-1  The way is chosen by the address of the other end, at both ends alike: all slots of a runner know each other's addresses before
 *        any of them is deployed.
 * SLO-2  A slot that ends is told to its siblings like a connection that breaks.
 */
import type { MessagePort } from "node:worker_threads";
import { MessageChannel } from "node:worker_threads";
import {
  type Address,
  addressKey,
  type RingMessage,
  type RingPeer,
  RingTransport,
} from "../ring/ring-transport.ts";
import type { ChannelId, InboundChannel, OutboundChannel, Transport } from "../transport.ts";
import { bellMemory, RingBell } from "./ring-bell.ts";
import { openTcpTransport, type TcpTransportOptions } from "./tcp-transport.ts";

/** A slot's place among those that share memory; goes to its worker, ports by transfer. */
export interface RingSeat {
  readonly slot: number;
  readonly seat: number;
  readonly bells: SharedArrayBuffer;
  readonly ports: readonly { readonly slot: number; readonly seat: number; port: MessagePort }[];
}
export interface SlotAddress extends Address {
  readonly slot: number;
}
export interface SlotTransport extends Transport {
  /** The addresses of all slots of this runner, before the first channel is opened. */
  meet(slots: readonly SlotAddress[]): void;
}
export interface SlotTransportOptions extends TcpTransportOptions {
  /** Absent: TCP to all, itself included. */
  readonly rings?: RingSeat;
}

/** A seat for each slot of a runner. */
export function ringSeats(slots: readonly number[]): readonly RingSeat[] {
  const bells = bellMemory(slots.length);
  const ports = slots.map((): { slot: number; seat: number; port: MessagePort }[] => []);
  slots.forEach((slot, seat) => {
    for (let other = 0; other < seat; other++) {
      const { port1, port2 } = new MessageChannel();
      ports[seat]?.push({ slot: slots[other] as number, seat: other, port: port1 });
      ports[other]?.push({ slot, seat, port: port2 });
    }
  });
  return slots.map((slot, seat) => ({ slot, seat, bells, ports: ports[seat] ?? [] }));
}

export async function openSlotTransport(options: SlotTransportOptions): Promise<SlotTransport> {
  const tcp = await openTcpTransport(options);
  const { rings } = options;
  if (rings === undefined) return { ...tcp, meet() {} };
  const peers = new Map<string, RingPeer>();
  const near = new RingTransport({
    address: tcp.address,
    scope: options.scope,
    peer: (key) => peers.get(key),
    soon: (call) => void setImmediate(call),
  });
  const bell = new RingBell({
    memory: rings.bells,
    seat: rings.seat,
    poll: () => near.poll(),
  });
  const to = (peer: Address): Transport => (peers.has(addressKey(peer)) ? near : tcp);
  return {
    address: tcp.address,
    meet(slots) {
      for (const { slot, ...address } of slots) {
        const key = addressKey(address);
        const way = rings.ports.find((port) => port.slot === slot);
        if (slot === rings.slot)
          peers.set(
            key,
            itself(near, () => bell.ring(rings.seat)),
          );
        else if (way !== undefined)
          peers.set(
            key,
            sibling(way.port, near, key, () => bell.ring(way.seat)),
          );
      }
    },
    openOutbound: (id: ChannelId, peer: Address): OutboundChannel =>
      to(peer).openOutbound(id, peer),
    openInbound: (id: ChannelId, credit: number, peer: Address): InboundChannel =>
      to(peer).openInbound(id, credit, peer),
    async close() {
      await near.close();
      bell.close();
      for (const { port } of rings.ports) port.close();
      await tcp.close();
    },
  };
}

function itself(near: RingTransport, ring: () => void): RingPeer {
  return {
    allocate: (bytes) => new ArrayBuffer(bytes),
    post: (message) => void setImmediate(() => near.receive(message)),
    ring,
  };
}
function sibling(port: MessagePort, near: RingTransport, key: string, ring: () => void): RingPeer {
  port.on("message", (message: RingMessage) => near.receive(message));
  port.once("close", () => near.peerLost(key, undefined));
  port.unref();
  return {
    allocate: (bytes) => new SharedArrayBuffer(bytes),
    post: (message) => port.postMessage(message),
    ring,
  };
}
