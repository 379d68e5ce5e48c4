import { errorsOf } from "@millrace/base";
import { readJobLog } from "@millrace/checkpoint";
import { memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { FakeCluster, type FakeTaskManager, graphOf } from "./fake-cluster.fixture.ts";

const fail = errorsOf({
  STORE_DENIED: { domain: "user", retry: "never", message: "denied", fix: "none" },
  STORE_UNAVAILABLE: { domain: "external", retry: "backoff", message: "away", fix: "repeat" },
} as const);

async function running(
  shape: Parameters<typeof graphOf>[0],
  options: ConstructorParameters<typeof FakeCluster>[0] = {},
) {
  const cluster = new FakeCluster(options);
  await cluster.start();
  const manager = await cluster.manager("tm", 2);
  const job = await cluster.submit(graphOf(shape));
  await cluster.run(10);
  expect(job.status.state).toBe("RUNNING");
  return { cluster, manager, job, terminal: () => terminalOf(cluster, job.submission.jobId) };
}
async function terminalOf(cluster: FakeCluster, jobId: string): Promise<string | null> {
  return (await readJobLog(cluster.store, cluster.platform, jobId)).terminal;
}
const lastCommit = (manager: FakeTaskManager) => {
  const { attempt, checkpointId = -1 } = manager.commands("commit").at(-1) ?? {};
  if (attempt === undefined) throw new Error("no commit was sent");
  return { attempt, checkpointId };
};

test("JMA-4: an acknowledgement that makes no sense costs its checkpoint, in one job only", async () => {
  for (const snapshot of ["", "null", "{", JSON.stringify({ vertex: "v0" })]) {
    const { cluster, manager, job } = await running({ checkpoint: { tolerableFailures: 9 } });
    manager.ignores.add("triggerCheckpoint");
    await cluster.run(1_000);
    const { attempt, checkpointId = 0 } = manager.commands("triggerCheckpoint").at(-1) ?? {};
    manager.send({
      $case: "checkpointAcknowledged",
      value: { attempt, checkpointId, vertex: "v0", subtask: 0, snapshot },
    });
    await cluster.run(10);
    expect(job.checkpointing.history.latest("FAILED")?.reason).toContain("v0#0 acknowledged");
    expect(manager.commands("checkpointAborted")).toMatchObject([{ checkpointId }]);
    manager.ignores.clear();
    await cluster.run(1_000);
    expect(job.checkpointing.history.counts).toMatchObject({ completed: 1, failed: 1 });
    expect(cluster.ended).toBeUndefined();
    expect(job.attempt).toBe(1);
  }
});

test("JMA-4: messages without sense and a store that refuses a permit cost an attempt at most", async () => {
  const { cluster, manager, job } = await running({ committer: true });
  const { attempt } = manager.commands("startRunner").at(-1) ?? {};
  manager.send({
    $case: "taskStateChanged",
    value: { attempt, vertex: "v0", subtask: 0, state: "CONFUSED", error: "" },
  });
  await cluster.run(10);
  expect(job.attempt).toBe(1);
  const get = cluster.store.get.bind(cluster.store);
  cluster.store.get = (key) =>
    key.startsWith("epochs/") ? Promise.reject(fail("STORE_DENIED")) : get(key);
  await cluster.run(1_000);
  cluster.store.get = get;
  await cluster.run(500);
  expect(cluster.ended).toBeUndefined();
  expect(job.exceptions.roots[0]?.error).toMatchObject({
    code: "JOB_CONTROL_FAILED",
    cause: { code: "STORE_DENIED" },
  });
  expect([job.attempt, job.status.state]).toEqual([2, "RUNNING"]);
  expect(job.checkpointing.nothingToCommit).toBe(true);
  manager.send({
    $case: "taskStateChanged",
    value: { ...ofNewest(manager), vertex: "v0", subtask: 0, state: "FAILED", error: "null" },
  });
  await cluster.run(500);
  expect([job.attempt, job.status.state, cluster.ended]).toEqual([3, "RUNNING", undefined]);
});
const ofNewest = (manager: FakeTaskManager) => ({
  attempt: manager.commands("startRunner").at(-1)?.attempt,
});

test("CHK-5: an append whose answer was lost and then denied ends the leader; nothing is said to be aborted", async () => {
  const store = memoryBlobStore();
  const { cluster, manager, job } = await running({ committer: true }, { store });
  const create = store.create.bind(store);
  let asked = 0;
  store.create = async (key, bytes) => {
    if (!key.includes("/log/")) return await create(key, bytes);
    asked += 1;
    if (asked > 1) throw fail("STORE_DENIED");
    await create(key, bytes);
    throw fail("STORE_UNAVAILABLE");
  };
  await cluster.run(2_000);
  expect(cluster.ended).toMatchObject({
    code: "LEADER_UNCERTAIN",
    cause: { code: "STORE_DENIED" },
  });
  expect(manager.commands("checkpointAborted")).toEqual([]);
  store.create = create;
  await cluster.restart();
  const again = cluster.job(job.submission.jobId);
  manager.register(cluster.coordinator);
  await cluster.run(100);
  expect(again.checkpointing.history.restored?.id).toBe(1);
});

test("an attempt that runs is not ended by the time limit on its start, however long its commit takes", async () => {
  const { cluster, manager, job } = await running(
    { committer: true, checkpoint: { commitTimeoutMs: 60_000 }, restart: { strategy: "none" } },
    { coordinator: { runnerStartTimeoutMs: 500 } },
  );
  await cluster.run(1_500);
  manager.ignores.add("commit");
  job.cancel();
  await cluster.run(3_000);
  expect([job.status.state, job.attempt, job.exceptions.roots]).toEqual(["CANCELLING", 2, []]);
  const { attempt, checkpointId } = lastCommit(manager);
  manager.commitFinished(attempt, checkpointId);
  await cluster.run(10);
  expect(job.status.state).toBe("CANCELED");
});

test("JMA-3: a job with committers is swept before it ends, also without any checkpoint", async () => {
  for (const end of ["cancel", "fail"]) {
    const { cluster, manager, job, terminal } = await running({
      committer: true,
      restart: { strategy: "none" },
    });
    manager.ignores.add("commit");
    if (end === "cancel") job.cancel();
    else for (const { attempt } of [...manager.runners.values()]) manager.state(attempt, "FAILED");
    await cluster.run(1_000);
    expect(manager.commands("deploySlot").at(-1)?.tasks).not.toContain('"v0"');
    expect(await terminal()).toBe(null);
    const { attempt, checkpointId } = lastCommit(manager);
    expect([attempt.attempt, checkpointId]).toEqual([2, 0]);
    manager.commitFinished(attempt, checkpointId);
    await cluster.run(10);
    expect(await terminal()).toBe(end === "cancel" ? "CANCELED" : "FAILED");
    expect(manager.runners.size).toBe(0);
  }
});

test("JMA-3: a job that never ran, or has nothing that commits, ends at once", async () => {
  const { cluster, manager, job, terminal } = await running({});
  job.cancel();
  await cluster.run(10);
  expect([await terminal(), manager.commands("startRunner").length]).toEqual(["CANCELED", 1]);
  manager.cut();
  const waiting = await cluster.submit(graphOf({ committer: true }));
  waiting.cancel();
  await cluster.run(10);
  expect(waiting.status.state).toBe("CANCELED");
});

test("OLD-1: a runner that nobody saw end is waited for before the last sweep, until its TaskManager is back without it", async () => {
  const { cluster, manager, job, terminal } = await running({ committer: true });
  const other = await cluster.manager("other", 2);
  manager.cut();
  await cluster.run(500);
  expect(job.status.state).toBe("RUNNING");
  job.cancel();
  await cluster.run(500);
  expect(await terminal()).toBe(null);
  const sweeps = other.commands("commit").length;
  manager.runners.clear();
  manager.register(cluster.coordinator);
  await cluster.run(10);
  expect(other.commands("commit").length).toBe(sweeps + 1);
  expect(await terminal()).toBe("CANCELED");
});

test("OLD-2: one whose TaskManager stays away is taken for ended after a while, and swept up after once more", async () => {
  const { cluster, manager, job, terminal } = await running({ committer: true });
  const other = await cluster.manager("other", 2);
  cluster.managers.shift();
  manager.cut();
  await cluster.run(500);
  job.cancel();
  await cluster.run(5_000);
  const sweeps = other.commands("commit").length;
  expect(await terminal()).toBe(null);
  await cluster.run(1_000);
  expect(other.commands("commit").length).toBe(sweeps + 1);
  expect(await terminal()).toBe("CANCELED");
});

test("CMT-2: a commit that never settles costs its attempt; the next one commits again", async () => {
  const { cluster, manager, job } = await running({
    committer: true,
    checkpoint: { commitTimeoutMs: 3_000 },
  });
  manager.ignores.add("commit");
  const { attempt, checkpointId } = lastCommit(manager);
  manager.commitFinished(attempt, checkpointId);
  await cluster.run(3_900);
  expect(job.attempt).toBe(1);
  expect(manager.commands("commit").map((commit) => commit.checkpointId)).toEqual([0, 1]);
  manager.ignores.clear();
  await cluster.run(1_000);
  expect(job.exceptions.roots[0]?.error).toMatchObject({
    code: "JOB_COMMIT_FAILED",
    fields: { checkpointId: 1, timeoutMs: 3_000, silent: ["v1"] },
  });
  expect(job.attempt).toBe(2);
  expect(job.checkpointing.nothingToCommit).toBe(true);
});

test("JMA-5: a job that has never run and gets no slots fails in time, and says what it waits for until then", async () => {
  const cluster = new FakeCluster();
  await cluster.start();
  const job = await cluster.submit(graphOf({ parallelism: 50 }));
  await cluster.manager("tm", 2);
  await cluster.run(299_000);
  expect([job.status.state, job.waitsForSlots]).toEqual(["CREATED", { needed: 50, free: 2 }]);
  await cluster.run(2_000);
  expect([job.status.state, job.waitsForSlots]).toEqual(["FAILED", undefined]);
  expect(job.rootCause).toMatchObject({ code: "JOB_NO_SLOTS", fields: { needed: 50, free: 2 } });
});

test("JMA-5: one that has run counts it by its restart strategy, also under the next leader", async () => {
  const options = { coordinator: { slotRequestTimeoutMs: 5_000 } };
  const { cluster, manager, job } = await running(
    { restart: { strategy: "fixed-delay", attempts: 3, delayMs: 10 } },
    options,
  );
  cluster.managers.shift();
  manager.cut();
  await cluster.run(6_000);
  expect(job.exceptions.roots[0]?.error.code).toBe("JOB_NO_SLOTS");
  expect(job.status.state).toBe("RESTARTING");
  expect(job.waitsForSlots).toEqual({ needed: 1, free: 0 });
  await cluster.restart();
  const again = cluster.job(job.submission.jobId);
  await cluster.run(16_000);
  expect(again.status.state).toBe("RESTARTING");
  await cluster.run(5_000);
  expect(again.status.state).toBe("FAILED");
});

test("JMA-3: what is to be committed waits for slots without a limit, a sweep alone does not", async () => {
  for (const withCheckpoint of [true, false]) {
    const { cluster, manager, job } = await running(
      { committer: true },
      { coordinator: { slotRequestTimeoutMs: 5_000 } },
    );
    if (withCheckpoint) {
      manager.ignores.add("commit");
      await cluster.run(1_500);
    }
    cluster.managers.shift();
    manager.cut();
    await cluster.run(10);
    job.cancel();
    await cluster.run(100_000);
    expect(job.status.state).toBe(withCheckpoint ? "CANCELLING" : "CANCELED");
    if (!withCheckpoint) continue;
    await cluster.manager("late", 1);
    await cluster.run(7_000);
    expect(job.status.state).toBe("CANCELED");
    expect(job.checkpointing.nothingToCommit).toBe(true);
  }
});

test("JMA-1: the exit of an older attempt's runner, heard while the next one is recorded, is not taken for its own", async () => {
  const { cluster, manager, job } = await running({ restart: { delayMs: 0 } });
  const first = manager.commands("startRunner").at(-1)?.attempt;
  const create = cluster.store.create.bind(cluster.store);
  let answer = () => {};
  cluster.store.create = async (key, bytes) => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return await create(key, bytes);
  };
  if (first !== undefined) manager.state(first, "FAILED", "{}");
  await cluster.run(10);
  manager.send({
    $case: "runnerExited",
    value: { attempt: first, exitCode: 0, signal: "", error: "" },
  });
  cluster.store.create = create;
  answer();
  await cluster.run(100);
  expect([job.attempt, job.status.state]).toEqual([2, "RUNNING"]);
});

test.each([
  [2_000, 1_500],
  [300, 0],
])(
  "JMA-6: of a delay of %i ms the runners wait %i, the tasks all of it",
  async (delayMs, idleMs) => {
    const { cluster, manager, job } = await running({ restart: { delayMs, maxDelayMs: delayMs } });
    const counts = () => [
      manager.commands("startRunner").length,
      manager.commands("deploySlot").length,
    ];
    for (const { attempt } of [...manager.runners.values()]) manager.state(attempt, "FAILED");
    if (idleMs > 0) {
      await cluster.run(idleMs - 10);
      expect(counts()).toEqual([1, 1]);
    }
    await cluster.run(20);
    expect(counts()).toEqual([2, 1]);
    await cluster.run(delayMs - idleMs - 30);
    expect([...counts(), job.status.state]).toEqual([2, 1, "RESTARTING"]);
    await cluster.run(30);
    expect([...counts(), job.status.state]).toEqual([2, 2, "RUNNING"]);
  },
);

test("JMA-6: a runner that ends while its attempt waits for the delay costs that attempt, and a cancelled job deploys nothing more", async () => {
  for (const end of ["exit", "cancel"]) {
    const { cluster, manager, job } = await running({ restart: { delayMs: 400 } });
    for (const { attempt } of [...manager.runners.values()]) manager.state(attempt, "FAILED");
    await cluster.run(100);
    const [waiting] = manager.runners.values();
    if (waiting === undefined) throw new Error("no runner waits");
    if (end === "exit") manager.exit(waiting.attempt);
    else job.cancel();
    await cluster.run(2_000);
    const deployed = manager.commands("deploySlot").map(({ attempt }) => attempt?.attempt);
    expect([job.status.state, deployed]).toEqual(
      end === "exit" ? ["RUNNING", [1, 3]] : ["CANCELED", [1]],
    );
  }
});
