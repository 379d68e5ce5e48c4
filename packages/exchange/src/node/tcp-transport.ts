/**
 * The transport over TCP: one server per slot, one connection per pair of slots, all channels between them multiplexed on it.
 *
 *   frame   u32 payload bytes | u8 type | u32 channel | u32 crc32c of the rest | payload
 *   dialler → listener   hello {attempt}, open {channel id}, data and events          listener → dialler   credit, hint, close
 *
 * TCP-1  The producing slot dials. The first frame is its hello; another attempt or version is refused and the connection closed (TRN-5).
 * TCP-2  A socket is always read: data comes only under credit, so what arrives has room (TRN-2).
 * TCP-3  A frame that is damaged, larger than the cap or out of place ends the connection: `EXCHANGE_CORRUPT` or `EXCHANGE_BAD_FRAME`.
 *        Other connections go on. Nothing is allocated by a claimed length.
 * TCP-4  A connection that ends is reported to every channel on it, once, after the frames that had arrived (TRN-4); also to one that
 *        the consumer opens only later.
 */

import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import type { ChannelId, InboundChannel, OutboundChannel, Transport } from "../transport.ts";
import { Connection } from "./connection.ts";
import { InboundTable, type TcpInbound } from "./inbound.ts";
import { Link } from "./link.ts";

export interface TcpTransportOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Text that both ends must share: job, epoch and attempt. */
  readonly scope: string;
}

/** Listens on a free port. */
export async function openTcpTransport(options: TcpTransportOptions): Promise<Transport> {
  const inbounds = new InboundTable();
  const connections = new Set<Connection>();
  const accept = (socket: Socket) => {
    const connection = new Connection(socket, {
      onFrame: (type, channel, payload) =>
        inbounds.frame(connection, options.scope, { type, channel, payload }),
      onEnd: (error) => {
        connections.delete(connection);
        inbounds.lost(connection, error);
      },
    });
    connections.add(connection);
  };
  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 },
    accept,
  );
  const address = await listen(server, options.host);
  const links = new Map<string, Link>();
  return {
    address,
    openOutbound(
      id: ChannelId,
      peer: { readonly host: string; readonly port: number },
    ): OutboundChannel {
      const key = `${peer.host}:${peer.port}`;
      let link = links.get(key);
      if (link === undefined) {
        link = new Link(peer, options.scope);
        links.set(key, link);
      }
      return link.open(id);
    },
    openInbound(id: ChannelId, initialCreditBytes: number): InboundChannel {
      const inbound: TcpInbound = inbounds.open(id);
      inbound.grant(initialCreditBytes);
      return inbound;
    },
    async close() {
      for (const link of links.values()) link.close();
      for (const connection of connections) connection.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(
  server: Server,
  host: string,
): Promise<{ readonly host: string; readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => {
      server.off("error", reject);
      resolve({ host, port: (server.address() as AddressInfo).port });
    });
  });
}
