/**
 * Rings within one process, delivered by callbacks of the host's loop: for jobs that run in one process, and for the simulation, which
 * delays bells and messages through `deliver`. The rings are those of worker threads; only who rings whom is otherwise.
 *
 * RNW-1  A bell that has been rung and not heard is not rung again: one delivery per pair of doors is on its way at most.
 */
import type { Timers } from "@millrace/base";
import type { LocalNetwork, LocalNetworkHooks } from "../local-transport.ts";
import type { Transport } from "../transport.ts";
import { addressKey, type RingPeer, RingTransport } from "./ring-transport.ts";

export interface RingNetworkOptions {
  readonly hooks?: LocalNetworkHooks;
  /** Bytes of the smallest ring; see `RingTransportOptions`. */
  readonly leastRingBytes?: number;
}

export function createRingNetwork(timers: Timers, options: RingNetworkOptions = {}): LocalNetwork {
  const { hooks, leastRingBytes } = options;
  const deliver: LocalNetworkHooks["deliver"] =
    hooks === undefined ? (_link, call) => timers.soon(call) : hooks.deliver;
  const doors = new Map<string, RingTransport>();
  /** Ways between doors, by where they lead and where they come from. */
  const ways = new Map<string, Map<string, RingPeer>>();
  const wayOf = (from: string, to: string): RingPeer => {
    let waysTo = ways.get(to);
    if (waysTo === undefined) {
      waysTo = new Map();
      ways.set(to, waysTo);
    }
    let way = waysTo.get(from);
    if (way === undefined) {
      way = createWay({ from, to }, deliver, () => doors.get(to));
      waysTo.set(from, way);
    }
    return way;
  };
  return {
    cut(address) {
      for (const from of ways.get(address)?.keys() ?? []) {
        if (from === address) continue;
        deliver({ from, to: address }, () => doors.get(address)?.peerLost(from, undefined));
        deliver({ from: address, to: from }, () => doors.get(from)?.peerLost(address, undefined));
      }
    },
    transport(address, scope): Transport {
      const own = addressKey(address);
      const door = new RingTransport({
        address,
        scope,
        peer: (to) => wayOf(own, to),
        soon: (call) => deliver({ from: own, to: own }, call),
        ...(leastRingBytes === undefined ? {} : { leastRingBytes }),
      });
      doors.set(own, door);
      return {
        address,
        openOutbound: (id, peer) => door.openOutbound(id, peer),
        openInbound: (id, credit, peer) => door.openInbound(id, credit, peer),
        async close() {
          await door.close();
          if (doors.get(own) === door) doors.delete(own);
          ways.delete(own);
          for (const waysTo of ways.values()) waysTo.delete(own);
        },
      };
    },
  };
}

function createWay(
  link: { readonly from: string; readonly to: string },
  deliver: LocalNetworkHooks["deliver"],
  door: () => RingTransport | undefined,
): RingPeer {
  let rung = false;
  const hear = () => {
    rung = false;
    door()?.poll();
  };
  return {
    allocate: (bytes) => new ArrayBuffer(bytes),
    post: (message) => deliver(link, () => door()?.receive(message)),
    ring() {
      if (rung) return;
      rung = true;
      deliver(link, hear);
    },
  };
}
