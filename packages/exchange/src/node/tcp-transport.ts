/**
 * The transport over TCP: one server per slot, one connection per pair of slots, all channels between them multiplexed on it.
 *
 *   frame   u32 payload bytes | u8 type | u32 channel | u32 sequence | u32 crc32 of the rest | payload
 *   dialler → listener   hello {attempt}, open {channel id}, data and events, close      listener → dialler   credit, hint, close
 *   both   ping
 *
 * TCP-1  The producing slot dials. The first frame is its hello; another attempt or version is refused and the connection closed (TRN-5).
 * TCP-2  A socket is always read: what arrives has room, because it was granted (TRN-2). A frame beyond its channel's credit is refused
 *        by its head; so is all but a hello of at most 64 KB on a connection that has not said hello, which has `helloTimeoutMs` for it.
 * TCP-3  A frame that is damaged, missing, repeated, larger than the cap, beyond its credit or out of place ends the connection:
 *        `EXCHANGE_CORRUPT` or `EXCHANGE_BAD_FRAME`. Other connections go on. Nothing is allocated by a claimed length.
 * TCP-4  A connection that ends is reported to every channel on it, once, after the frames that had arrived (TRN-4); also to one that
 *        the consumer opens only later.
 * TCP-5  A connection that carries nothing, whichever end or network is to blame, ends after three heartbeats (CNX-1).
 * TCP-7  What a turn sends, credit included, is one vectored write; what comes is copied once, into buffers that are used again (POL-1).
 * TCP-6  `close` ends within `closeTimeoutMs`, also when the other end reads no more.
 */

import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { fail } from "../fail.ts";
import type { ChannelId, InboundChannel, OutboundChannel, Transport } from "../transport.ts";
import { BufferPool } from "./buffer-pool.ts";
import { Connection } from "./connection.ts";
import { InboundTable } from "./inbound-table.ts";
import { Link } from "./link.ts";

/** A dialler says hello as soon as it is connected. */
const helloTimeoutMs = 5_000;
/** What is written when a job ends is little: credit and closes. */
const closeTimeoutMs = 1_000;
/**
 * Answers come from the slot's own loop, which user code may hold up: two minutes of silence are more than a function should take, and
 * less than a checkpoint's time-out, which would notice as well. A host that has gone is noticed by the control plane within seconds.
 */
const defaultHeartbeatMs = 40_000;

export interface TcpTransportOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Text that both ends must share: job, epoch and attempt. */
  readonly scope: string;
  /** How often a connection says that it is alive (TCP-5), ms; default 40,000; 0: it never says, and never suspects the other end. */
  readonly heartbeatMs?: number;
}

/** Listens on a free port. */
export async function openTcpTransport(options: TcpTransportOptions): Promise<Transport> {
  const { scope, heartbeatMs = defaultHeartbeatMs } = options;
  const inbounds = new InboundTable(scope);
  const connections = new Set<Connection>();
  const pool = new BufferPool();
  const accept = (socket: Socket) => {
    const connection: Connection = new Connection(
      socket,
      {
        onHead: (head) => inbounds.head(connection, head),
        onFrame: (frame) => inbounds.frame(connection, frame),
        onEnd: (error) => {
          clearTimeout(greeting);
          connections.delete(connection);
          inbounds.lost(connection, error);
        },
      },
      { pool, heartbeatMs },
    );
    const greeting = setTimeout(() => {
      if (!inbounds.greeted(connection))
        connection.fail(fail("EXCHANGE_CORRUPT", { fields: { reason: "no hello" } }));
    }, helloTimeoutMs).unref();
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
        link = new Link(peer, { scope, heartbeatMs, pool });
        links.set(key, link);
      }
      return link.open(id);
    },
    openInbound(id: ChannelId, initialCreditBytes: number): InboundChannel {
      const inbound = inbounds.open(id);
      inbound.grant(initialCreditBytes);
      return inbound;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const link of links.values()) link.close();
      for (const connection of connections) connection.end();
      const forced = setTimeout(() => {
        for (const end of [...links.values(), ...connections]) end.destroy();
      }, closeTimeoutMs);
      await closed;
      clearTimeout(forced);
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
