/**
 * The gRPC end of the control plane: one bidirectional stream per TaskManager, handed to the coordinator message by message.
 *
 * CTL-1  A stream that does not register within `registerTimeoutMs` is ended.
 * CTL-2  A message that can't be decoded, or that the coordinator can't take, ends its stream: what follows it can't be trusted. The
 *        TaskManager registers anew; others go on.
 * CTL-3  Nothing of a stream that has ended, or was replaced, reaches the coordinator.
 */
import { Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { Logger } from "@millrace/base";
import type { Connection, TaskManagerSession } from "@millrace/coordinator";
import {
  connectMethodPath,
  type DownMessage,
  decodeUp,
  encodeDown,
  type UpMessage,
} from "@millrace/protocol";
import { fail } from "./fail.ts";

const registerTimeoutMs = 10_000;

export interface ControlServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on `host`:`port` (0: any free port). Rejects `JOBMANAGER_PORT_TAKEN`. */
export async function startControlServer(options: {
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  readonly connect: (session: TaskManagerSession) => Connection;
}): Promise<ControlServer> {
  const server = new Server({
    "grpc.max_receive_message_length": 64 * 1024 * 1024,
    "grpc.keepalive_time_ms": 10_000,
  });
  server.addService(
    {
      connect: {
        path: connectMethodPath,
        requestStream: true,
        responseStream: true,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (message: DownMessage) => Buffer.from(encodeDown(message)),
        responseDeserialize: (bytes: Buffer) => bytes as never,
      },
    },
    { connect: (stream: ServerDuplexStream<Buffer, DownMessage>) => serve(stream, options) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `${options.host}:${options.port}`,
      ServerCredentials.createInsecure(),
      (error, bound) => {
        if (error === null) resolve(bound);
        else
          reject(
            fail("JOBMANAGER_PORT_TAKEN", {
              fields: { host: options.host, port: options.port, service: "control" },
              cause: error,
            }),
          );
      },
    );
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        const forced = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, 500);
        server.tryShutdown(() => {
          clearTimeout(forced);
          resolve();
        });
      }),
  };
}

function serve(
  stream: ServerDuplexStream<Buffer, DownMessage>,
  {
    connect,
    logger,
  }: { readonly connect: (session: TaskManagerSession) => Connection; readonly logger: Logger },
): void {
  let open = true;
  const end = () => {
    if (!open) return;
    open = false;
    clearTimeout(watchdog);
    connection.closed();
  };
  const session: TaskManagerSession = {
    send(message) {
      if (open) stream.write(message);
    },
    close() {
      if (open) stream.end();
      end();
    },
  };
  const connection = connect(session);
  const watchdog = setTimeout(() => {
    stream.emit("error", { code: status.DEADLINE_EXCEEDED, details: "no registration" });
    end();
  }, registerTimeoutMs);
  stream.on("data", (bytes: Buffer) => {
    if (!open) return;
    try {
      const message: UpMessage | undefined = decodeUp(bytes);
      if (message === undefined) return;
      if (message.$case === "register") clearTimeout(watchdog);
      connection.message(message);
    } catch (error) {
      logger.error("a control message that can't be taken", { error: String(error) });
      stream.emit("error", { code: status.INVALID_ARGUMENT, details: "unacceptable message" });
      end();
    }
  });
  stream.on("error", end);
  stream.on("end", () => {
    stream.end();
    end();
  });
  stream.on("cancelled", end);
  stream.on("close", end);
}
