import { silentLogger } from "@millrace/base";
import { claimJob, winEpoch } from "@millrace/checkpoint";
import type { DownMessage } from "@millrace/protocol";
import { memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { Checkpointing, type CheckpointOutcome } from "./checkpointing.ts";
import { Execution } from "./execution.ts";
import { graphOf, snapshotOf, virtualPlatform } from "./fake-cluster.fixture.ts";
import { OlderRunners } from "./older-runners.ts";
import { tryAssignSlots } from "./slots.ts";
import { TaskManagers } from "./task-managers.ts";

const jobId = "7".repeat(32);

/** A checkpointing with one TaskManager that answers nothing by itself, on a virtual clock. */
async function checkpointing(shape: Parameters<typeof graphOf>[0] = {}) {
  const platform = virtualPlatform();
  const store = memoryBlobStore();
  const epoch = await winEpoch(store, platform);
  const log = await claimJob({ store, platform, jobId, epoch });
  await log.append({ kind: "attempt", attempt: 1 });
  const taskManagers = new TaskManagers(platform.clock);
  const sent: DownMessage[] = [];
  const register = { taskManagerId: "tm", slots: 1, host: "h", version: "", pid: 1, epoch: 0 };
  const machine = { memoryBytes: 0, metricsAddress: "", cpuCores: 1, physicalMemoryBytes: 1 };
  taskManagers.register(
    { ...register, ...machine, runners: [] },
    { send: (message) => void sent.push(message), close() {} },
  );
  const graph = graphOf({ ...shape, checkpoint: { tolerableFailures: 9, ...shape.checkpoint } });
  const outcomes: CheckpointOutcome[] = [];
  let ticks = 0;
  const note = (step: Promise<CheckpointOutcome>) =>
    step.then((outcome) => {
      if (outcome.kind !== "none") outcomes.push(outcome);
    });
  const subject: Checkpointing = new Checkpointing({
    platform,
    logger: silentLogger,
    store,
    log,
    submission: { jobId, graph } as never,
    taskManagers,
    older: new OlderRunners(1_000),
    onTick: () => {
      ticks += 1;
      void note(subject.tick());
    },
  });
  const plan = tryAssignSlots(graph, taskManagers.free());
  if (plan === undefined) throw new RangeError("no slots");
  const ref = { jobId, epoch, attempt: 1 };
  const execution = new Execution({ graph, attempt: 1, plan, now: 0 });
  await note(subject.attemptRunning({ execution, ref, closing: false }));
  const run = async (ms: number) => await platform.run({ until: platform.now + ms });
  const ids = ($case: DownMessage["$case"]) =>
    sent
      .filter((message) => message.$case === $case)
      .map((message) => (message.value as { checkpointId: number }).checkpointId);
  const acknowledge = async (checkpointId: number) => {
    for (const { id: vertex } of graph.vertices) {
      const snapshot = JSON.stringify(snapshotOf(vertex));
      const message = { attempt: ref, checkpointId, vertex, subtask: 0, snapshot };
      await note(subject.acknowledged(message));
    }
  };
  const decline = (checkpointId: number) =>
    note(
      subject.declined({
        attempt: ref,
        checkpointId,
        vertex: "v0",
        subtask: 0,
        error: "no room",
      }),
    );
  const committed = (checkpointId: number) =>
    note(subject.commitFinished({ attempt: ref, checkpointId, vertex: "v1", error: "" }));
  const last = () => ids("triggerCheckpoint").at(-1) ?? 0;
  return {
    ...{ subject, platform, log, sent, outcomes, run, ids, acknowledge, decline, committed, last },
    ticks: () => ticks,
  };
}
/** Nothing is due by itself: no timer is armed, or none before a day has passed. */
async function rests(world: Awaited<ReturnType<typeof checkpointing>>): Promise<void> {
  const before = world.ticks();
  await world.run(86_400_000);
  expect(world.ticks()).toBe(before);
}

test("CHK-1: one is triggered each interval, on the newest completed one, and never beside another", async () => {
  const world = await checkpointing();
  await world.run(999);
  expect(world.ids("triggerCheckpoint")).toEqual([]);
  await world.run(3_000);
  expect(world.ids("triggerCheckpoint")).toEqual([1]);
  await world.acknowledge(1);
  await world.run(1_000);
  expect(world.sent.at(-1)).toMatchObject({ value: { checkpointId: 2, base: 1 } });
  expect(world.ids("checkpointCompleted")).toEqual([1]);
});

test("CHK-3: one that expires, and one that is declined, are given up for good", async () => {
  const world = await checkpointing();
  await world.run(6_000);
  expect(world.ids("checkpointAborted")).toEqual([1]);
  await world.acknowledge(1);
  await world.decline(2);
  expect(world.ids("checkpointAborted")).toEqual([1, 2]);
  expect(world.subject.history.latest("FAILED")?.reason).toContain("v0#0: Error: no room");
  await world.run(1_000);
  expect(world.last()).toBe(3);
  expect(world.log.summary.newestCheckpoint).toBe(null);
});

test("CP-03: tolerable failures are counted in a row; one more fails the attempt", async () => {
  const world = await checkpointing({ checkpoint: { tolerableFailures: 1 } });
  for (const step of ["decline", "acknowledge", "decline", "decline"] as const) {
    expect(world.outcomes).toEqual([]);
    await world.run(1_000);
    await world[step](world.last());
  }
  expect(world.outcomes).toMatchObject([
    { kind: "fail", error: { code: "JOB_CHECKPOINT_FAILURES", fields: { checkpointId: 4 } } },
  ]);
});

test("CHK-4: the final one is tried again after it was given up, and nothing begins after it", async () => {
  const world = await checkpointing({ committer: true });
  await world.committed(0);
  await world.run(10);
  world.subject.requestFinal();
  await world.run(10);
  expect(world.sent.at(-1)).toMatchObject({ value: { checkpointId: 1, kind: "final" } });
  await world.decline(1);
  await world.run(1_000);
  expect(world.sent.at(-1)).toMatchObject({ value: { checkpointId: 2, kind: "final" } });
  await world.acknowledge(2);
  expect(world.ids("commit")).toEqual([0, 2]);
  await world.run(4_000);
  expect([world.last(), world.outcomes]).toEqual([2, []]);
  await world.committed(2);
  expect(world.outcomes).toEqual([{ kind: "done" }]);
  await rests(world);
});

test("CHK-6: after the final one, and with a commit still out, no timer ticks but that of the commit's deadline", async () => {
  const world = await checkpointing({ committer: true });
  await world.committed(0);
  world.subject.requestFinal();
  await world.run(10);
  await world.acknowledge(1);
  const before = world.ticks();
  await world.run(4_900);
  expect(world.ticks()).toBe(before);
  await world.run(200);
  expect(world.ticks()).toBe(before + 1);
  expect(world.outcomes).toMatchObject([{ kind: "fail", error: { code: "JOB_COMMIT_FAILED" } }]);
});

test("CMT-1: a checkpoint completed while a commit is out is next, and stands for those between", async () => {
  const world = await checkpointing({ committer: true });
  await world.committed(0);
  for (let n = 1; n <= 3; n++) {
    await world.run(1_000);
    await world.acknowledge(n);
  }
  expect(world.ids("commit")).toEqual([0, 1]);
  await world.committed(3);
  expect(world.log.summary.committedFloor).toBe(0);
  await world.committed(1);
  expect([world.log.summary.committedFloor, world.ids("commit")]).toEqual([1, [0, 1, 3]]);
  await world.committed(3);
  expect(world.log.summary.committedFloor).toBe(3);
  expect(world.subject.history.records.every(({ committed }) => committed)).toBe(true);
});

test("CHK-6: whoever asks is answered: by the one in progress, by a full one, or by the attempt's end", async () => {
  const world = await checkpointing();
  const answers: string[] = [];
  const ask = (name: string, full = false) =>
    world.subject.request((answer) => {
      answers.push(`${name} ${"error" in answer ? "refused" : answer.checkpointId}`);
    }, full);
  ask("first");
  await world.run(10);
  await world.acknowledge(1);
  expect(answers).toEqual(["first 1"]);
  await world.run(1_000);
  ask("beside");
  ask("full", true);
  await world.acknowledge(2);
  expect(answers).toEqual(["first 1", "beside 2"]);
  await world.run(10);
  expect(world.sent.at(-1)).toMatchObject({ value: { checkpointId: 3, base: 0 } });
  await world.acknowledge(3);
  expect(answers.at(-1)).toBe("full 3");
  ask("late");
  world.subject.attemptEnded();
  ask("after the end");
  expect(answers.slice(-2)).toEqual(["late refused", "after the end refused"]);
  await rests(world);
});

test("CHK-6: an answer that comes twice counts once", async () => {
  const world = await checkpointing({ committer: true });
  await world.run(1_000);
  const [record] = world.subject.history.records;
  const value = { attempt: undefined, checkpointId: 1, vertex: "v0", subtask: 0 };
  for (let i = 0; i < 3; i++)
    await world.subject.acknowledged({ ...value, snapshot: JSON.stringify(snapshotOf("v0")) });
  expect(record).toMatchObject({ acknowledged: 1, stateBytes: 10, newBytes: 5 });
});
