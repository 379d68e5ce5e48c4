/**
 * The TaskManager's end of the control stream: dials, registers, and dials again for as long as it lives.
 *
 * CCL-1  grpc-js stays CONNECTING for ever on a peer that accepts and then says nothing: a stream that is not `registered` within
 *        `registerTimeoutMs` is destroyed with its channel and its socket.
 * CCL-2  A stream that is silent for longer than the JobManager's heartbeat timeout is destroyed too.
 * CCL-3  A message that can't be handled ends the stream and not this process: the JobManager begins anew with what is alive.
 * CCL-4  Reconnecting backs off from 50 ms to 2 s; several addresses are tried in turn.
 */
import { Client, type ClientDuplexStream } from "@grpc/grpc-js";
import type { Logger } from "@millrace/base";
import {
  connectMethodPath,
  type DownMessage,
  decodeDown,
  encodeUp,
  type UpMessage,
} from "@millrace/protocol";
import { type OwnedCredentials, ownedCredentials } from "./owned-credentials.ts";

const registerTimeoutMs = 3_000;
const firstBackoffMs = 50;
const maxBackoffMs = 2_000;

export interface ControlClientOptions {
  readonly addresses: readonly string[];
  readonly logger: Logger;
  /** First message of every stream. */
  readonly registration: () => UpMessage;
  /** Sent every heartbeat interval while registered. */
  readonly heartbeat: (sequence: number) => UpMessage;
  readonly onMessage: (message: DownMessage) => void;
}

export class ControlClient {
  readonly #options: ControlClientOptions;
  #client: Client | undefined;
  #owned: OwnedCredentials | undefined;
  #stream: ClientDuplexStream<UpMessage, DownMessage> | undefined;
  #registered = false;
  #closed = false;
  #attempts = 0;
  #sequence = 0;
  #timers: NodeJS.Timeout[] = [];
  #lastHeardAt = 0;

  constructor(options: ControlClientOptions) {
    this.#options = options;
    this.#dial();
  }

  /** Drops the message while there is no stream: whoever is told by the next registration what is alive needs no history. */
  send(message: UpMessage): void {
    if (this.#registered) this.#stream?.write(message);
  }
  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #dial(): void {
    if (this.#closed) return;
    const { addresses } = this.#options;
    const address = addresses[this.#attempts % addresses.length] ?? "";
    const owned = ownedCredentials();
    const client = new Client(address, owned.credentials, {
      "grpc.max_receive_message_length": 64 * 1024 * 1024,
      "grpc.initial_reconnect_backoff_ms": firstBackoffMs,
      "grpc.use_local_subchannel_pool": 1,
    });
    const stream = client.makeBidiStreamRequest<UpMessage, DownMessage>(
      connectMethodPath,
      (message) => Buffer.from(encodeUp(message)),
      (bytes) => decodeDown(bytes) as DownMessage,
    );
    this.#client = client;
    this.#owned = owned;
    this.#stream = stream;
    this.#lastHeardAt = performance.now();
    this.#later(registerTimeoutMs, () => {
      if (!this.#registered) this.#lost(stream, "no answer to the registration");
    });
    stream.on("data", (message: DownMessage | undefined) => {
      if (message === undefined || this.#stream !== stream) return;
      this.#lastHeardAt = performance.now();
      if (message.$case === "registered") this.#onRegistered(stream, message.value);
      try {
        this.#options.onMessage(message);
      } catch (error) {
        this.#lost(stream, `a ${message.$case} that can't be handled: ${String(error)}`);
      }
    });
    stream.on("error", (error) => this.#lost(stream, error.message));
    stream.on("end", () => this.#lost(stream, "the stream ended"));
    stream.write(this.#options.registration());
  }

  #onRegistered(
    stream: ClientDuplexStream<UpMessage, DownMessage>,
    {
      heartbeatIntervalMs,
      heartbeatTimeoutMs,
    }: { readonly heartbeatIntervalMs: number; readonly heartbeatTimeoutMs: number },
  ): void {
    this.#registered = true;
    this.#attempts = 0;
    const timer = setInterval(() => {
      if (this.#stream !== stream) return clearInterval(timer);
      if (performance.now() - this.#lastHeardAt > heartbeatTimeoutMs)
        return this.#lost(stream, "heartbeats are not answered");
      this.send(this.#options.heartbeat(++this.#sequence));
    }, heartbeatIntervalMs);
    this.#timers.push(timer);
  }

  #lost(stream: ClientDuplexStream<UpMessage, DownMessage>, reason: string): void {
    if (this.#stream !== stream || this.#closed) return;
    if (this.#registered) this.#options.logger.warn("jobmanager lost", { reason });
    this.#drop();
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(this.#attempts, 10));
    this.#attempts += 1;
    this.#later(backoffMs, () => this.#dial());
  }

  #drop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    const stream = this.#stream;
    this.#stream = undefined;
    this.#registered = false;
    stream?.on("error", () => {});
    stream?.cancel();
    this.#client?.close();
    this.#owned?.destroy();
  }
  #later(delayMs: number, fn: () => void): void {
    this.#timers.push(setTimeout(fn, delayMs));
  }
}
