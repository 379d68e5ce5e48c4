import { connect } from "node:net";
import { errorsOf, silentLogger } from "@millrace/base";
import { coordinatorOptions } from "@millrace/coordinator";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { graph } from "./graph.fixture.ts";
import { type JobManagerOptions, startJobManager } from "./start.ts";

const fail = errorsOf({
  STORE_DENIED: { domain: "external", retry: "never", message: "denied", fix: "" },
} as const);
function world(over: Partial<BlobStore> = {}) {
  const seen = { closed: 0 };
  const memory = memoryBlobStore();
  const store: BlobStore = {
    ...memory,
    ...over,
    async close() {
      seen.closed += 1;
    },
  };
  const options: JobManagerOptions = {
    host: "127.0.0.1",
    restPort: 0,
    controlPort: 0,
    store,
    probe: async () => {},
    options: coordinatorOptions.defaults,
    logger: silentLogger,
    onEnd() {},
  };
  return { seen, memory, options };
}
const servers = () =>
  process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap").length;
const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

test.each<[string, Partial<BlobStore>]>([
  [
    "no epoch can be won",
    {
      create: async () => {
        throw fail("STORE_DENIED");
      },
    },
  ],
  [
    "the registry can't be read",
    {
      get: async (key: string) => {
        if (key.startsWith("registry/")) throw fail("STORE_DENIED");
        return undefined;
      },
    },
  ],
])(
  "STA-1: a start that fails because %s leaves no door, timer or store open",
  async (_why, over) => {
    const { seen, options } = world(over);
    const before = { servers: servers(), timers: timers() };
    await expect(startJobManager(options)).rejects.toMatchObject({ code: "STORE_DENIED" });
    expect(seen.closed).toBe(1);
    await expect.poll(servers).toBe(before.servers);
    await expect.poll(timers).toBeLessThanOrEqual(before.timers);
  },
);

test("STA-1: a store that fails the probe, and a port that is taken, close what was open", async () => {
  const probed = world();
  const probe = async () => {
    throw fail("STORE_DENIED");
  };
  await expect(startJobManager({ ...probed.options, probe })).rejects.toThrow();
  expect(probed.seen.closed).toBe(1);
  const first = world();
  const running = await startJobManager(first.options);
  const second = world();
  const restPort = Number(new URL(running.restAddress).port);
  await expect(startJobManager({ ...second.options, restPort })).rejects.toMatchObject({
    code: "JOBMANAGER_PORT_TAKEN",
  });
  expect(second.seen.closed).toBe(1);
  await running.close();
  expect(first.seen.closed).toBe(1);
});

test("COO-4: a submission that comes while the JobManager starts is asked to come again, and ends nothing", async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const memory = memoryBlobStore();
  const { options } = world({
    ...memory,
    async get(key) {
      if (key.startsWith("registry/")) await gate;
      return await memory.get(key);
    },
  });
  const port = 20_000 + (process.pid % 20_000);
  const ends: unknown[] = [];
  const starting = startJobManager({ ...options, restPort: port, onEnd: (e) => ends.push(e) });
  await expect.poll(() => listens(port)).toBe(true);
  const address = `http://127.0.0.1:${port}/v1`;
  const post = async (path: string, body: string | Buffer, type: string) =>
    await fetch(`${address}${path}`, { method: "POST", body, headers: { "content-type": type } });
  const uploaded = await post("/bundles/upload?name=x", "export {}", "application/javascript");
  const { id } = (await uploaded.json()) as { readonly id: string };
  const run = () => post(`/bundles/${id}/run`, JSON.stringify({ graph }), "application/json");
  const early = await run();
  expect([early.status, ((await early.json()) as { error: { code: string } }).error.code]).toEqual([
    503,
    "JOB_LEADER_STARTING",
  ]);
  release();
  const running = await starting;
  expect((await run()).status).toBe(200);
  expect(ends).toEqual([]);
  await running.close();
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
