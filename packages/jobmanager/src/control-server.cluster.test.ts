/** TaskManagers that send what none of ours sends, or too late: CTL-1..3, and what the coordinator drops behind it. */
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { silentLogger } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import { Coordinator, coordinatorOptions } from "@millrace/coordinator";
import {
  connectMethodPath,
  type DownMessage,
  decodeDown,
  encodeUp,
  type UpMessage,
} from "@millrace/protocol";
import { memoryBlobStore } from "@millrace/spi";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ControlServer, startControlServer } from "./control-server.ts";
import { graph } from "./graph.fixture.ts";

let coordinator: Coordinator;
let control: ControlServer;
const clients: Client[] = [];
beforeEach(async () => {
  coordinator = new Coordinator({
    platform: nodePlatform,
    logger: silentLogger,
    store: memoryBlobStore(),
    options: coordinatorOptions.defaults,
    onEnd() {},
  });
  await coordinator.start();
  control = await startControlServer({
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    connect: (session) => coordinator.connect(session),
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  coordinator.close();
  await control.close();
});

interface FakeTaskManager {
  readonly stream: ClientDuplexStream<Buffer, DownMessage>;
  readonly received: DownMessage[];
  ended: boolean;
  send(message: UpMessage): void;
}
function connect(): FakeTaskManager {
  const client = new Client(`127.0.0.1:${control.port}`, credentials.createInsecure());
  clients.push(client);
  const stream = client.makeBidiStreamRequest<Buffer, DownMessage>(
    connectMethodPath,
    (bytes) => bytes,
    (bytes) => decodeDown(bytes) as DownMessage,
  );
  const manager: FakeTaskManager = {
    stream,
    received: [],
    ended: false,
    send: (message) => void stream.write(Buffer.from(encodeUp(message))),
  };
  const end = () => {
    manager.ended = true;
  };
  stream.on("error", end);
  stream.on("end", end);
  stream.on("data", (message: DownMessage) => manager.received.push(message));
  return manager;
}
async function registered(id: string): Promise<FakeTaskManager> {
  const manager = connect();
  manager.send({
    $case: "register",
    value: {
      taskManagerId: id,
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
  });
  await expect.poll(() => manager.received.length).toBeGreaterThan(0);
  return manager;
}
const heartbeat = (sequence: number): UpMessage => ({
  $case: "heartbeat",
  value: { sequence, runners: [], rssBytes: sequence, cpuLoad: 0 },
});
const answersOf = (manager: FakeTaskManager) =>
  manager.received.flatMap((message) =>
    message.$case === "heartbeatAnswer" ? [message.value.sequence] : [],
  );

test.each([
  ["bytes that are no message", Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])],
  [
    "metrics that are no JSON",
    Buffer.from(
      encodeUp({
        $case: "metricsReport",
        value: { attempt: { jobId: "j", epoch: 1, attempt: 1 }, samples: "[{" },
      }),
    ),
  ],
])("CTL-2: %s end their stream; another TaskManager's goes on", async (_what, bytes) => {
  const good = await registered("good");
  const bad = await registered("bad");
  bad.stream.write(bytes);
  await expect.poll(() => bad.ended).toBe(true);
  await expect.poll(() => coordinator.taskManagers.get("bad")).toBeUndefined();
  good.send(heartbeat(1));
  await expect.poll(() => answersOf(good)).toEqual([1]);
  expect(good.ended).toBe(false);
});

test("CTL-3: a stream that was replaced ends, and nothing of it counts", async () => {
  const older = await registered("tm");
  older.send(heartbeat(1));
  await expect.poll(() => answersOf(older)).toEqual([1]);
  const newer = await registered("tm");
  older.send(heartbeat(2));
  newer.send(heartbeat(3));
  await expect.poll(() => answersOf(newer)).toEqual([3]);
  await expect.poll(() => older.ended).toBe(true);
  expect(answersOf(older)).toEqual([1]);
  expect(coordinator.taskManagers.get("tm")?.rssBytes).toBe(3);
});

test("JMA-1: what a runner of another attempt, epoch or job says changes nothing; what this one's says does", async () => {
  const manager = await registered("tm");
  const jobId = await coordinator.submit({
    jobName: "job",
    bundle: "b",
    graph,
    build: { parameters: {} },
  } as unknown as Parameters<Coordinator["submit"]>[0]);
  const starts = () =>
    manager.received.flatMap((message) =>
      message.$case === "startRunner" ? [message.value.attempt] : [],
    );
  await expect.poll(() => starts().length).toBe(1);
  const attempt = starts()[0] ?? { jobId: "", epoch: 0, attempt: 0 };
  const exited = (of: typeof attempt): UpMessage => ({
    $case: "runnerExited",
    value: { attempt: of, exitCode: 1, signal: "", error: "" },
  });
  manager.send(exited({ ...attempt, attempt: attempt.attempt + 1 }));
  manager.send(exited({ ...attempt, epoch: attempt.epoch - 1 }));
  manager.send(exited({ ...attempt, jobId: "f".repeat(32) }));
  manager.send(heartbeat(9));
  await expect.poll(() => answersOf(manager)).toEqual([9]);
  const { state } = coordinator.job(jobId).status;
  expect(["FAILED", "FAILING"]).not.toContain(state);
  manager.send(exited(attempt));
  await expect.poll(() => coordinator.job(jobId).status.state).toBe("FAILED");
});
