/**
 * Plain-text credentials that own the sockets of their channel. grpc-js forgets the socket of a connection that was never made whole:
 * a peer that accepts and says nothing would cost one more with every attempt, for ever (CCL-1).
 */
import type { Socket } from "node:net";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";

type Connector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

export interface OwnedCredentials {
  readonly credentials: ChannelCredentials;
  /** Destroys every socket that was opened with them, also those still being opened. */
  destroy(): void;
}

export function ownedCredentials(): OwnedCredentials {
  const sockets = new Set<Socket>();
  let destroyed = false;
  const plain = credentials.createInsecure();
  const create = plain._createSecureConnector.bind(plain);
  plain._createSecureConnector = (...args): Connector => {
    const connector = create(...args);
    return {
      connect(socket: Socket) {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        if (destroyed) socket.destroy();
        return connector.connect(socket);
      },
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  };
  return {
    credentials: plain,
    destroy() {
      destroyed = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
