import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { nodePlatform } from "@millrace/base/node";
import { expect, test } from "vitest";
import { createLocalNetwork } from "./local-transport.ts";
import { openSlotTransport, type RingSeat, ringSeats } from "./node/slot-transport.ts";
import { openTcpTransport } from "./node/tcp-transport.ts";
import { createRingNetwork } from "./ring/ring-network.ts";
import type { Transport } from "./transport.ts";
import { type TransportPair, transportContract } from "./transport-contract.fixture.ts";

function pairOf(producer: Transport, consumer: Transport): TransportPair {
  return {
    producer,
    consumer,
    kill: () => void producer.close(),
    close: async () => {
      await producer.close();
      await consumer.close();
    },
  };
}
const host = "127.0.0.1";

transportContract(
  "local",
  async ([producing, consuming] = ["s", "s"]) => {
    const network = createLocalNetwork(nodePlatform.timers);
    return pairOf(
      network.transport({ host: "p", port: 1 }, producing),
      network.transport({ host: "c", port: 2 }, consuming),
    );
  },
  { refuses: false },
);

transportContract(
  "rings in one process",
  async ([producing, consuming] = ["s", "s"]) => {
    const network = createRingNetwork(nodePlatform.timers);
    return pairOf(
      network.transport({ host: "p", port: 1 }, producing),
      network.transport({ host: "c", port: 2 }, consuming),
    );
  },
  { refuses: false },
);

transportContract(
  "tcp",
  async ([producing, consuming] = ["s", "s"]) =>
    pairOf(
      await openTcpTransport({ host, scope: producing }),
      await openTcpTransport({ host, scope: consuming }),
    ),
  { refuses: true },
);

transportContract(
  "rings",
  async ([producing, consuming] = ["s", "s"]) => {
    const [a, b] = ringSeats([0, 1]) as [RingSeat, RingSeat];
    const producer = await openSlotTransport({ host, scope: producing, rings: a });
    const consumer = await openSlotTransport({ host, scope: consuming, rings: b });
    const slots = [producer, consumer].map(({ address }, slot) => ({ slot, ...address }));
    for (const transport of [producer, consumer]) transport.meet(slots);
    return pairOf(producer, consumer);
  },
  { refuses: false },
);

transportContract(
  "one slot",
  async () => {
    const [rings] = ringSeats([3]) as [RingSeat];
    const slot = await openSlotTransport({ host, scope: "s", rings });
    slot.meet([{ slot: 3, ...slot.address }]);
    return pairOf(slot, slot);
  },
  { refuses: false, alone: true },
);

transportContract(
  "slots of two runners",
  async ([producing, consuming] = ["s", "s"]) => {
    const [a] = ringSeats([0]) as [RingSeat];
    const [b] = ringSeats([0]) as [RingSeat];
    const producer = await openSlotTransport({ host, scope: producing, rings: a });
    const consumer = await openSlotTransport({ host, scope: consuming, rings: b });
    for (const transport of [producer, consumer])
      transport.meet([{ slot: 0, ...transport.address }]);
    return pairOf(producer, consumer);
  },
  { refuses: true },
);

test("TCP-4: a listener that is not there is a failure of every channel, not a hang", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  const transport = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  const channel = transport.openOutbound(
    { edge: "e", from: 0, to: 0 },
    { host: "127.0.0.1", port },
  );
  const error = await new Promise((resolve) => channel.onFailure(resolve));
  expect(error).toMatchObject({ code: "EXCHANGE_PEER_LOST" });
  await transport.close();
});

test("TCP-3: random bytes end their connection and nothing else", async () => {
  const transport = await openTcpTransport({ host: "127.0.0.1", scope: "s" });
  for (let round = 0; round < 50; round++) {
    await new Promise<void>((resolve) => {
      const socket = connect(transport.address.port, "127.0.0.1", () => {
        socket.write(Uint8Array.from({ length: 40 }, (_, i) => (i * 31 + round * 17) & 255));
        // A claimed length that is larger than the cap, then one that is not there.
        socket.end(Uint8Array.of(255, 255, 255, 255, 16, 0, 0, 0, 0, 0, 0, 0, 0));
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    });
  }
  const inbound = transport.openInbound({ edge: "e", from: 0, to: 0 }, 10, transport.address);
  const out = transport.openOutbound({ edge: "e", from: 0, to: 0 }, transport.address);
  await expect.poll(() => out.credit).toBe(10);
  expect(inbound.queuedBytes).toBe(0);
  await transport.close();
});
