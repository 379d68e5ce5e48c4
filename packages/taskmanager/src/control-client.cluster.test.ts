/** JobManagers that are there and do not answer: CCL-1..4. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { silentLogger } from "@millrace/base";
import type { DownMessage } from "@millrace/protocol";
import { afterEach, expect, test } from "vitest";
import { ControlClient } from "./control-client.ts";
import { leaderOf, startScriptedJobManager } from "./job-manager.fixture.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function clientOf(addresses: readonly string[], onMessage = (_: DownMessage) => {}) {
  const messages: DownMessage[] = [];
  const client = new ControlClient({
    addresses,
    logger: silentLogger,
    registration: () => ({
      $case: "register",
      value: {
        taskManagerId: "tm",
        slots: 1,
        host: "h",
        version: "v",
        pid: 1,
        epoch: 0,
        runners: [],
        memoryBytes: 0,
        cpuCores: 1,
        physicalMemoryBytes: 1,
        metricsAddress: "",
      },
    }),
    heartbeat: (sequence) => ({
      $case: "heartbeat",
      value: { sequence, runners: [], rssBytes: 0, cpuLoad: 0 },
    }),
    onMessage: (message) => {
      messages.push(message);
      onMessage(message);
    },
  });
  ends.push(() => client.close());
  return { client, messages };
}
async function jobManager(answer: Parameters<typeof startScriptedJobManager>[0]) {
  const started = await startScriptedJobManager(answer);
  ends.push(() => started.close());
  return started;
}

test("CCL-1: a peer that accepts and says nothing is given up, the next address is tried", async () => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    socket.resume();
  });
  const port = await new Promise<number>((resolve) =>
    mute.listen(0, "127.0.0.1", () => resolve((mute.address() as AddressInfo).port)),
  );
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const leader = await jobManager(leaderOf(() => 7));
  const { messages } = clientOf([`127.0.0.1:${port}`, leader.address]);
  await expect.poll(() => messages[0], { timeout: 10_000 }).toMatchObject({ value: { epoch: 7 } });
  expect(sockets.length).toBeGreaterThan(0);
  // With its socket: grpc-js would keep one for every attempt.
  await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
});

test("CCL-1: a leader that takes the registration and never answers it is given up, and dialled again", async () => {
  let answers = false;
  const leader = await jobManager((message, reply) => {
    if (answers) leaderOf(() => 3)(message, reply);
  });
  const { messages } = clientOf([leader.address]);
  await expect.poll(() => leader.streams.length, { timeout: 10_000 }).toBe(2);
  expect(messages).toEqual([]);
  expect(leader.streams[0]?.cancelled).toBe(true);
  answers = true;
  await expect.poll(() => messages.length, { timeout: 10_000 }).toBeGreaterThan(0);
});

test("CCL-2: a leader that stops answering heartbeats is left after the time-out that it gave, and registered with again", async () => {
  let silent = false;
  const leader = await jobManager((message, reply) => {
    if (!silent || message.$case === "register") leaderOf(() => 3)(message, reply);
  });
  const { messages, client } = clientOf([leader.address]);
  await expect.poll(() => leader.of("heartbeat").length, { timeout: 5_000 }).toBeGreaterThan(3);
  expect(leader.streams).toHaveLength(1);
  silent = true;
  const from = performance.now();
  await expect.poll(() => leader.streams.length, { timeout: 10_000 }).toBe(2);
  expect(performance.now() - from).toBeGreaterThan(900);
  silent = false;
  const before = messages.length;
  await expect.poll(() => messages.length, { timeout: 5_000 }).toBeGreaterThan(before + 2);
  client.close();
  const heartbeats = leader.of("heartbeat").length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(leader.of("heartbeat").length).toBeLessThanOrEqual(heartbeats + 1);
});

test("CCL-3: a message that can't be handled ends its stream, not the process; the next stream goes on", async () => {
  const leader = await jobManager(leaderOf(() => 3));
  let thrown = 0;
  clientOf([leader.address], (message) => {
    if (message.$case !== "registered") return;
    thrown += 1;
    if (thrown === 1) throw new SyntaxError("unexpected token");
  });
  await expect.poll(() => leader.of("heartbeat").length, { timeout: 5_000 }).toBeGreaterThan(1);
  expect(leader.streams).toHaveLength(2);
});
