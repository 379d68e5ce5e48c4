import { silentLogger } from "@millrace/base";
import {
  claimJob,
  encodeManifest,
  type Manifest,
  sha256,
  snapshotName,
  winEpoch,
} from "@millrace/checkpoint";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { createVirtualPlatform, faultyStore, type VirtualPlatform } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Coordinator } from "./coordinator.ts";
import { type CoordinatorOptions, coordinatorOptions } from "./options.ts";
import { simpleGraph } from "./simple-graph.fixture.ts";

const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
const id = (n: number) => String(n).padStart(32, "0");
const request = (n: number, name = "job") => ({
  jobId: id(n),
  jobName: name,
  graph: simpleGraph,
  bundle: "bundles/x",
  build: { parameters: {} },
});
/** A coordinator on a virtual clock; whatever is waited for, the clock goes on until it is there. */
class World {
  readonly platform: VirtualPlatform;
  readonly store: BlobStore;
  readonly ends: unknown[] = [];
  readonly coordinator: Coordinator;
  constructor(
    store: BlobStore | ((platform: VirtualPlatform) => BlobStore),
    options: Partial<CoordinatorOptions> = {},
    seed = 1,
  ) {
    this.platform = createVirtualPlatform(seed, settle);
    this.store = typeof store === "function" ? store(this.platform) : store;
    this.coordinator = new Coordinator({
      platform: this.platform,
      logger: silentLogger,
      store: this.store,
      options: { ...coordinatorOptions.defaults, ...options },
      onEnd: (error) => this.ends.push(error),
    });
  }
  async until<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const done = () => {
      over = true;
    };
    promise.then(done, done);
    await this.platform.run({ until: this.platform.now + 600_000, stop: () => over });
    return await promise;
  }
  async started(): Promise<this> {
    await this.until(this.coordinator.start());
    return this;
  }
  async pass(ms: number): Promise<void> {
    await this.platform.run({ until: this.platform.now + ms });
  }
  /** Submits a job and cancels it: without slots it has ended at once. */
  async ended(n: number): Promise<void> {
    await this.until(this.coordinator.submit(request(n)));
    this.coordinator.cancel(id(n));
    await this.pass(1);
    expect(this.coordinator.job(id(n)).status.state).toBe("CANCELED");
  }
  get states(): readonly string[] {
    return this.coordinator.jobs.map(
      (job) => `${Number(job.submission.jobId)} ${job.status.state}`,
    );
  }
}
const lead = async (store: BlobStore, options?: Partial<CoordinatorOptions>) =>
  await new World(store, options).started();
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const bytesOf = (value: string) => new TextEncoder().encode(value);
async function contents(store: BlobStore, prefix: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for await (const { key } of store.list(prefix)) all[key] = text(await store.get(key));
  return all;
}
function counting(store: BlobStore): BlobStore & { gets: number } {
  const counted = {
    ...store,
    gets: 0,
    async get(key: string) {
      counted.gets += 1;
      return await store.get(key);
    },
  };
  return counted;
}

test("SUB-3, COO-5: a submission over a store that loses answers is one job, asked for as often as one likes, also later", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const truth = memoryBlobStore();
    const faults = { delayMs: 20, failed: 0.2, lost: 0.3, late: 0.2, lateMs: 200, lagging: 0 };
    const rough = new World((platform) => faultyStore(truth, platform, () => faults), {}, seed);
    await rough.started();
    const ids = await rough.until(
      Promise.all([1, 1, 1].map((n) => rough.coordinator.submit(request(n)))),
    );
    expect(ids).toEqual([id(1), id(1), id(1)]);
    await rough.pass(1_000);
    expect(rough.states).toEqual(["1 CREATED"]);
    expect(rough.ends).toEqual([]);
    expect(Object.keys(await contents(truth, "registry/"))).toHaveLength(1);
    const next = await lead(truth);
    await next.until(next.coordinator.submit(request(1)));
    expect(next.states, `seed ${seed}`).toEqual(["1 CREATED"]);
  }
});

test("SUB-4: another submission under a known id is refused, whether the job runs, has ended or expired", async () => {
  const world = await lead(memoryBlobStore(), { endedJobsKeepMs: 1_000 });
  const other = () => world.until(world.coordinator.submit(request(1, "other")));
  await world.until(world.coordinator.submit(request(1)));
  await expect(other()).rejects.toMatchObject({ code: "JOB_ID_TAKEN" });
  world.coordinator.cancel(id(1));
  await world.pass(5_000);
  await expect(other()).rejects.toMatchObject({ code: "JOB_ID_TAKEN" });
  expect(world.states).toEqual([]);
});

test("COO-4: while it starts, clients are asked to come again, and the start goes on", async () => {
  const store = memoryBlobStore();
  const before = await lead(store);
  await before.until(before.coordinator.submit(request(1)));
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const world = new World({
    ...store,
    async get(key) {
      if (key.startsWith("registry/")) await gate;
      return await store.get(key);
    },
  });
  const starting = world.coordinator.start();
  await world.pass(10);
  const refused = { code: "JOB_LEADER_STARTING", retry: "backoff" };
  await expect(world.coordinator.submit(request(2))).rejects.toMatchObject(refused);
  expect(() => world.coordinator.job(id(1))).toThrow(expect.objectContaining(refused));
  open();
  await world.until(starting);
  expect(world.ends).toEqual([]);
  await world.until(world.coordinator.submit(request(2)));
  expect(world.states).toEqual(["1 CREATED", "2 CREATED"]);
});

test.each<[string, string, string, string]>([
  ["a submission that is no JSON", "submission", "{", "JOB_BAD_SUBMISSION"],
  [
    "a submission with half a graph",
    "submission",
    JSON.stringify({ formatVersion: 1, jobId: id(1), graph: { formatVersion: 1, vertices: [] } }),
    "JOB_BAD_SUBMISSION",
  ],
  ["a damaged log entry", "log/0000000000", "x", "CHECKPOINT_CORRUPT"],
  ["a damaged claim record", "claims/0000000001", "{}", "CHECKPOINT_CORRUPT"],
])(
  "LOD-1: %s fails that job alone, and nothing of it is touched",
  async (_what, name, value, code) => {
    const store = memoryBlobStore();
    const first = await lead(store);
    for (const n of [1, 2]) await first.until(first.coordinator.submit(request(n)));
    const key = `jobs/${id(1)}/${name}`;
    expect(await store.get(key)).toBeDefined();
    await store.put(key, bytesOf(value));
    const before = await contents(store, `jobs/${id(1)}/`);
    const second = await lead(store);
    expect(second.states.toSorted()).toEqual(["1 FAILED", "2 CREATED"]);
    expect(second.coordinator.job(id(1)).rootCause?.code).toBe(code);
    expect(second.coordinator.job(id(1)).exceptions.roots[0]?.error.code).toBe(code);
    expect(() => second.coordinator.cancel(id(1))).toThrow(
      expect.objectContaining({ code: "JOB_ALREADY_TERMINAL" }),
    );
    await second.pass(10_000);
    expect(second.ends).toEqual([]);
    expect(await contents(store, `jobs/${id(1)}/`)).toEqual(before);
    expect(second.coordinator.bundlesInUse?.size).toBe(name === "submission" ? undefined : 1);
  },
);

test("LOD-1: a job whose newest checkpoint can't be read is not run, and goes on once that is mended", async () => {
  const store = memoryBlobStore();
  const first = await lead(store);
  for (const n of [1, 2]) await first.until(first.coordinator.submit(request(n)));
  const { platform } = first;
  const manifest: Manifest = {
    formatVersion: 1,
    jobId: id(1),
    checkpointId: 1,
    epoch: 2,
    attempt: 1,
    base: null,
    kind: "checkpoint",
    triggeredAt: 0,
    graphDigest: simpleGraph.digest,
    vertices: [],
  };
  const bytes = encodeManifest(manifest);
  first.coordinator.close();
  const epoch = await first.until(winEpoch(store, platform));
  const log = await first.until(claimJob({ store, platform, jobId: id(1), epoch }));
  await first.until(
    log.append({
      kind: "checkpoint",
      attempt: 1,
      checkpointId: 1,
      manifest: "m",
      manifestSha256: sha256(bytes),
      manifestBytes: bytes.length,
    }),
  );
  expect((await lead(store)).coordinator.job(id(1)).rootCause?.code).toBe("CHECKPOINT_MISSING");
  await store.put("m", bytes.slice(1));
  const damaged = await lead(store);
  expect(damaged.states.toSorted()).toEqual(["1 FAILED", "2 CREATED"]);
  expect(damaged.coordinator.job(id(1)).rootCause?.code).toBe("CHECKPOINT_CORRUPT");
  await damaged.pass(10_000);
  expect(damaged.ends).toEqual([]);
  await store.put("m", bytes);
  expect((await lead(store)).states.toSorted()).toEqual(["1 CREATED", "2 CREATED"]);
});

test("LOD-1: a registry that is damaged ends the leader: jobs behind the damage can't be found", async () => {
  const store = memoryBlobStore();
  await store.create("registry/0000000000", bytesOf("\n"));
  await expect(lead(store)).rejects.toMatchObject({ code: "JOB_REGISTRY_CORRUPT" });
});

test("LOD-2: at the next start an ended job costs one get, and is shown with its end", async () => {
  const store = memoryBlobStore();
  const first = await lead(store);
  await first.ended(1);
  await first.pass(100);
  // The store keeps the end; the log is not read for it again.
  await store.delete([`jobs/${id(1)}/log/0000000000`, `jobs/${id(1)}/log/0000000001`]);
  const second = await lead(store);
  expect(second.states).toEqual(["1 CANCELED"]);
  expect(second.coordinator.job(id(1)).submission.graph).toEqual(simpleGraph);
  const { timestamps } = second.coordinator.job(id(1)).status;
  expect(timestamps.CANCELED).toBe(first.coordinator.job(id(1)).status.timestamps.CANCELED);
});

test("ENR-2: where the mark of its end is missing or damaged, the log says the same, what is left is cleaned up, and the mark is made", async () => {
  const store = memoryBlobStore();
  const first = await lead(store);
  await first.ended(1);
  await first.pass(100);
  const key = `jobs/${id(1)}/ended`;
  const mark = text(await store.get(key));
  await store.delete([key]);
  // Its leader has died in the middle of cleaning up.
  const left = snapshotName(id(1), { checkpointId: 1, epoch: 1, attempt: 1 }, "v0", 0);
  await store.put(left, bytesOf("left"));
  expect((await lead(store)).states).toEqual(["1 CANCELED"]);
  expect(text(await store.get(key))).toBe(mark);
  expect(await store.get(left)).toBeUndefined();
  await store.put(key, bytesOf("{}"));
  expect((await lead(store)).states).toEqual(["1 CANCELED"]);
});

test("END-1: jobs that have ended are shown in bounded number and for a bounded time, and then said to have expired", async () => {
  const world = await lead(memoryBlobStore(), {
    endedJobsMax: 3,
    endedJobsKeepMs: 60_000,
    heartbeatTimeoutMs: 600_000,
  });
  const report = (n: number) => {
    const samples = JSON.stringify([{ vertex: "v0", subtask: 0, name: "n", value: 1 }]);
    const attempt = { jobId: id(n), epoch: 1, attempt: 1 };
    link.message({ $case: "metricsReport", value: { attempt, samples } });
    return world.coordinator.metrics.of(id(n)).length;
  };
  const link = world.coordinator.connect({ send() {}, close() {} });
  link.message({
    $case: "register",
    value: {
      taskManagerId: "t",
      slots: 0,
      host: "",
      pid: 1,
      metricsAddress: "",
      memoryBytes: 0,
      epoch: 0,
      runners: [],
      version: "",
      cpuCores: 1,
      physicalMemoryBytes: 0,
    },
  });
  for (let n = 1; n <= 6; n++) {
    await world.ended(n);
    expect(report(n)).toBe(1);
    await world.pass(1_000);
  }
  expect(world.states).toEqual(["4 CANCELED", "5 CANCELED", "6 CANCELED"]);
  expect(() => world.coordinator.job(id(1))).toThrow(
    expect.objectContaining({ code: "JOB_NOT_FOUND", fields: { jobId: id(1), expired: true } }),
  );
  expect(() => world.coordinator.job(id(9))).toThrow(
    expect.objectContaining({ code: "JOB_NOT_FOUND", fields: { jobId: id(9) } }),
  );
  await world.pass(61_000);
  expect(world.states).toEqual([]);
  expect([1, 6].map((n) => world.coordinator.metrics.of(id(n)).length)).toEqual([0, 0]);
  expect(report(6)).toBe(0);
});

test("END-1: at a start only the ended jobs that are shown have their submission read, the others cost two gets", async () => {
  const truth = memoryBlobStore();
  const first = await lead(truth, { endedJobsMax: 2_000 });
  for (let n = 1; n <= 150; n++) await first.ended(n);
  await first.pass(100);
  const store = counting(truth);
  const second = await lead(store, { endedJobsMax: 50 });
  expect(second.states).toHaveLength(50);
  // Registry entry and mark of each, submissions of fifty, and what was asked for beyond the registry's end.
  expect(store.gets).toBeLessThan(2 * 150 + 50 + 20);
});
