/** Peers on real sockets that send what no peer of ours sends, to both ends: TCP-3, TCP-4. `MILLRACE_SEED` repeats a run. */
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { isMillraceError } from "@millrace/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameKind } from "../transport.ts";
import { encodeJson, encodeU32 } from "./payloads.ts";
import { openTcpTransport } from "./tcp-transport.ts";
import { checksumOf, FrameType, headBytes, protocolVersion } from "./wire.ts";

const seed = Number(process.env["MILLRACE_SEED"] ?? 20_262);
const soon = 2_000;

interface Forged {
  readonly type: number;
  readonly channel: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** Undefined: the truth. */
  readonly claim: number | undefined;
  readonly checked: boolean;
}
function forged({
  type,
  channel,
  sequence,
  payload,
  claim = payload.length,
  checked,
}: Forged): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(claim, 0);
  head.writeUInt8(type, 4);
  head.writeUInt32LE(channel, 5);
  head.writeUInt32LE(sequence, 9);
  head.writeUInt32LE(checked ? checksumOf(head.subarray(0, 13), payload) : 0xdead_beef, 13);
  return Buffer.concat([head, payload]);
}
const anyForged: fc.Arbitrary<Forged> = fc.record({
  type: fc.constantFrom<number>(...Object.values(FrameType), 17, 99),
  channel: fc.nat(3),
  sequence: fc.nat(2),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(encodeJson({ scope: "s", version: protocolVersion }), encodeU32(1_000)),
  ),
  claim: fc.option(fc.constantFrom(0xffff_ffff, 64 * 1024 * 1024, 1), {
    nil: undefined,
    freq: 1,
  }),
  checked: fc.boolean(),
});
const anyHostileBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 200 }),
  fc
    .array(anyForged, { minLength: 1, maxLength: 3 })
    .map((frames) => new Uint8Array(Buffer.concat(frames.map(forged)))),
);

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`did not happen: ${what}`)), soon).unref();
    }),
  ]);
}

test(`TCP-3: hostile diallers are cut off; a channel of an honest one goes on, seed ${seed}`, async () => {
  const transport = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  const producer = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  const id = { edge: "e", from: 0, to: 0 };
  const inbound = transport.openInbound(id, 1 << 20, transport.address);
  const out = producer.openOutbound(id, transport.address);
  const failures: unknown[] = [];
  inbound.onFailure((error) => failures.push(error));
  out.onFailure((error) => failures.push(error));
  await expect.poll(() => out.credit).toBeGreaterThan(0);
  const before = process.memoryUsage().arrayBuffers;
  await fc.assert(
    fc.asyncProperty(anyHostileBytes, async (bytes) => {
      await within(
        new Promise<void>((resolve) => {
          const socket = connect(transport.address.port, "127.0.0.1", () => socket.end(bytes));
          socket.on("error", () => {});
          socket.on("close", () => resolve());
        }),
        "the hostile connection closes",
      );
      out.send(FrameKind.batch, bytes.slice());
      await expect
        .poll(() => inbound.take()?.payload, { interval: 1, timeout: soon })
        .toEqual(new Uint8Array(bytes));
      inbound.grant(bytes.length);
    }),
    { numRuns: 200, seed },
  );
  expect(failures).toEqual([]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
  await within(producer.close(), "the producer closes");
  await within(transport.close(), "the consumer closes");
});

test(`TCP-4: a hostile listener fails the channels to it with a code, and no others, seed ${seed}`, async () => {
  const honest = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  const transport = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  const id = { edge: "e", from: 0, to: 0 };
  honest.openInbound(id, 10, transport.address);
  const good = transport.openOutbound(id, honest.address);
  const failures: unknown[] = [];
  good.onFailure((error) => failures.push(error));
  let answer: Uint8Array = new Uint8Array(0);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.end(answer);
    socket.resume();
  });
  await fc.assert(
    fc.asyncProperty(anyHostileBytes, async (bytes) => {
      answer = bytes;
      // A new port each time: a transport dials an address once.
      const port = await new Promise<number>((resolve) =>
        server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
      );
      const channels = [0, 1].map((to) =>
        transport.openOutbound({ ...id, to }, { host: "127.0.0.1", port }),
      );
      const errors = await within(
        Promise.all(
          channels.map((channel) => new Promise((resolve) => channel.onFailure(resolve))),
        ),
        "both channels fail",
      );
      for (const error of errors) {
        expect(error).toMatchObject({ code: "EXCHANGE_PEER_LOST" });
        const { cause } = error as Error;
        expect(cause === undefined || isMillraceError(cause) || isSystemError(cause)).toBe(true);
      }
      for (const socket of open) socket.destroy();
      open.clear();
      await new Promise((resolve) => server.close(resolve));
    }),
    { numRuns: 150, seed },
  );
  await expect.poll(() => good.credit).toBe(10);
  expect(failures).toEqual([]);
  await within(transport.close(), "the producer closes");
  await within(honest.close(), "the consumer closes");
});

test.each([
  ["lost", [1]],
  ["repeated", [0, 0]],
])("SEQ-1: credit that was %s fails the producer's channel", async (_what, sequences) => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
    for (const sequence of sequences)
      socket.write(
        forged({
          ...{ type: FrameType.credit, channel: 0, sequence, payload: encodeU32(100) },
          ...{ claim: undefined, checked: true },
        }),
      );
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
  );
  const transport = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  const channel = transport.openOutbound(
    { edge: "e", from: 0, to: 0 },
    { host: "127.0.0.1", port },
  );
  const error = await within(
    new Promise((resolve) => channel.onFailure(resolve)),
    "the channel fails",
  );
  expect(error).toMatchObject({
    code: "EXCHANGE_PEER_LOST",
    cause: { code: "EXCHANGE_CORRUPT", fields: { sequence: sequences.at(-1) } },
  });
  await within(transport.close(), "the producer closes");
  await new Promise((resolve) => server.close(resolve));
});

function isSystemError(error: unknown): boolean {
  return /^E[A-Z]+$/.test((error as { readonly code?: string } | null)?.code ?? "");
}
