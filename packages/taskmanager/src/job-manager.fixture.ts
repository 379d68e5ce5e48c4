/** A JobManager that does what its test says: the control stream's other end. */
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import {
  connectMethodPath,
  type DownMessage,
  decodeUp,
  encodeDown,
  type UpMessage,
} from "@millrace/protocol";

type Stream = ServerDuplexStream<Buffer, DownMessage>;

export interface ScriptedJobManager {
  readonly address: string;
  /** Streams so far, the newest last. */
  readonly streams: readonly Stream[];
  readonly received: readonly UpMessage[];
  send(message: DownMessage): void;
  /** What came of that kind. */
  of<K extends UpMessage["$case"]>(kind: K): readonly Extract<UpMessage, { $case: K }>["value"][];
  close(): void;
}

export async function startScriptedJobManager(
  onMessage: (message: UpMessage, reply: (message: DownMessage) => void) => void,
): Promise<ScriptedJobManager> {
  const streams: Stream[] = [];
  const received: UpMessage[] = [];
  const server = new Server();
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
    {
      connect: (stream: Stream) => {
        streams.push(stream);
        stream.on("error", () => {});
        stream.on("data", (bytes: Buffer) => {
          const message = decodeUp(bytes);
          if (message === undefined) return;
          received.push(message);
          onMessage(message, (answer) => stream.write(answer));
        });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return {
    address: `127.0.0.1:${port}`,
    streams,
    received,
    send: (message) => void streams.at(-1)?.write(message),
    of: (kind) =>
      received.flatMap((message) => (message.$case === kind ? [message.value as never] : [])),
    close: () => server.forceShutdown(),
  };
}

/** Answers a registration and heartbeats as a leader of that epoch does. */
export function leaderOf(
  epoch: () => number,
  heartbeat = { heartbeatIntervalMs: 100, heartbeatTimeoutMs: 1_000 },
): (message: UpMessage, reply: (message: DownMessage) => void) => void {
  return (message, reply) => {
    if (message.$case === "register")
      reply({ $case: "registered", value: { epoch: epoch(), ...heartbeat } });
    else if (message.$case === "heartbeat")
      reply({
        $case: "heartbeatAnswer",
        value: { sequence: message.value.sequence, epoch: epoch() },
      });
  };
}
