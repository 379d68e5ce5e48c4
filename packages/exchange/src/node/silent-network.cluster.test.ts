/** Networks that accept everything and carry nothing, and peers that say nothing: TCP-2, TCP-5, TCP-6. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { FrameKind } from "../transport.ts";
import { openTcpTransport } from "./tcp-transport.ts";

const heartbeatMs = 50;
const id = { edge: "e", from: 0, to: 0 };

/** Passes bytes on both ways until it swallows them; both connections stay open. */
async function proxyTo(port: number) {
  let swallowing = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("data", (bytes) => {
        if (!swallowing) to.write(bytes);
      });
      from.on("close", () => {
        if (!swallowing) to.destroy();
      });
    }
  });
  const address = await new Promise<AddressInfo>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(server.address() as AddressInfo)),
  );
  return {
    address: { host: "127.0.0.1", port: address.port },
    swallow: () => {
      swallowing = true;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

test("TCP-5: both ends of a link that swallows bytes fail after three heartbeats; an idle link that carries lives on", async () => {
  const consumer = await openTcpTransport({ host: "127.0.0.1", scope: "s", heartbeatMs });
  const producer = await openTcpTransport({ host: "127.0.0.1", scope: "s", heartbeatMs });
  const proxy = await proxyTo(consumer.address.port);
  const inbound = consumer.openInbound(id, 1_000, producer.address);
  const out = producer.openOutbound(id, proxy.address);
  const failures: [string, unknown][] = [];
  inbound.onFailure((error) => failures.push(["consumer", error]));
  out.onFailure((error) => failures.push(["producer", error]));
  await expect.poll(() => out.credit).toBe(1_000);
  // Nothing but heartbeats for ten of them.
  await new Promise((resolve) => setTimeout(resolve, 10 * heartbeatMs));
  expect(failures).toEqual([]);
  out.send(FrameKind.batch, new Uint8Array(10));
  await expect.poll(() => inbound.queuedBytes).toBe(10);
  proxy.swallow();
  const from = performance.now();
  await expect.poll(() => failures.length, { interval: 5 }).toBe(2);
  expect(performance.now() - from).toBeGreaterThan(2 * heartbeatMs);
  for (const [, error] of failures)
    expect(error).toMatchObject({
      code: "EXCHANGE_PEER_LOST",
      cause: { fields: { silentMs: 3 * heartbeatMs } },
    });
  await producer.close();
  await consumer.close();
  await proxy.close();
});

test("TCP-5: a slot whose own loop stood still suspects nobody; without heartbeats nobody is suspected", async () => {
  for (const beat of [heartbeatMs, 0]) {
    const consumer = await openTcpTransport({ host: "127.0.0.1", scope: "s", heartbeatMs: beat });
    const producer = await openTcpTransport({ host: "127.0.0.1", scope: "s", heartbeatMs: beat });
    const inbound = consumer.openInbound(id, 1_000, producer.address);
    const out = producer.openOutbound(id, consumer.address);
    const failures: unknown[] = [];
    inbound.onFailure((error) => failures.push(error));
    out.onFailure((error) => failures.push(error));
    await expect.poll(() => out.credit).toBe(1_000);
    const end = performance.now() + 10 * heartbeatMs;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 4 * heartbeatMs));
    expect(failures).toEqual([]);
    await producer.close();
    await consumer.close();
  }
});

test("TCP-2: a connection that says no hello is closed", async () => {
  const transport = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  const from = performance.now();
  await new Promise<void>((resolve) => {
    const socket = connect(transport.address.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.resume();
  });
  expect(performance.now() - from).toBeGreaterThan(4_000);
  await transport.close();
}, 15_000);

test("TCP-6: closing ends in time, though the other end reads nothing any more", async () => {
  let accepted: Socket | undefined;
  const server = createServer((socket) => {
    accepted = socket.pause();
    socket.on("error", () => {});
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
  );
  const transport = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  transport.openOutbound(id, { host: "127.0.0.1", port });
  // And a dialler of ours, which connects and neither reads nor ends.
  const mute = connect({ port: transport.address.port, host: "127.0.0.1", allowHalfOpen: true });
  mute.pause();
  mute.on("error", () => {});
  await expect.poll(() => accepted).toBeDefined();
  const from = performance.now();
  await transport.close();
  expect(performance.now() - from).toBeLessThan(3_000);
  mute.destroy();
  accepted?.destroy();
  await new Promise((resolve) => server.close(resolve));
});
