import { expect, test } from "vitest";
import { FakeCluster, graphOf } from "./fake-cluster.fixture.ts";

test("TMR-2: three jobs that wait for one slot get it one after the other", async () => {
  const cluster = new FakeCluster();
  await cluster.start();
  const jobs = [];
  for (let i = 0; i < 3; i++) jobs.push(await cluster.submit(graphOf()));
  const manager = await cluster.manager("tm", 1);
  await cluster.run(100);
  expect(cluster.states()).toEqual(["RUNNING", "CREATED", "CREATED"]);
  jobs[0]?.cancel();
  await cluster.run(100);
  expect(cluster.states()).toEqual(["CANCELED", "RUNNING", "CREATED"]);
  jobs[1]?.cancel();
  await cluster.run(100);
  expect(cluster.states()).toEqual(["CANCELED", "CANCELED", "RUNNING"]);
  expect(manager.runners.size).toBe(1);
});

test("SLO-4: a job that does not fit blocks no smaller one, and comes first when it does", async () => {
  const cluster = new FakeCluster();
  await cluster.start();
  await cluster.submit(graphOf({ parallelism: 2 }));
  const small = await cluster.submit(graphOf());
  await cluster.submit(graphOf());
  await cluster.manager("a", 1);
  await cluster.run(100);
  expect(cluster.states()).toEqual(["CREATED", "RUNNING", "CREATED"]);
  await cluster.manager("b", 1);
  await cluster.run(100);
  expect(cluster.states()).toEqual(["CREATED", "RUNNING", "RUNNING"]);
  await cluster.manager("c", 1);
  small.cancel();
  await cluster.run(100);
  expect(cluster.states()).toEqual(["RUNNING", "CANCELED", "RUNNING"]);
});

test("TMR-2: a job that restarts finds the slots it had; what does not suffice it gives back", async () => {
  const cluster = new FakeCluster();
  await cluster.start();
  await cluster.submit(graphOf({ parallelism: 2 }));
  const [a, b] = [await cluster.manager("a", 1), await cluster.manager("b", 1)];
  await cluster.submit(graphOf());
  await cluster.run(100);
  expect(cluster.states()).toEqual(["RUNNING", "CREATED"]);
  for (const { attempt } of [...a.runners.values()]) a.state(attempt, "FAILED", "{}");
  await cluster.run(1_000);
  expect(cluster.states()).toEqual(["RUNNING", "CREATED"]);
  b.cut();
  await cluster.run(1_000);
  expect(cluster.states()).toEqual(["RESTARTING", "RUNNING"]);
});

test("TMR-2: a TaskManager that goes while an attempt is being recorded takes that attempt with it", async () => {
  const cluster = new FakeCluster();
  await cluster.start();
  const job = await cluster.submit(graphOf());
  const create = cluster.store.create.bind(cluster.store);
  let answer = () => {};
  cluster.store.create = async (key, bytes) => {
    if (job.attempt === 1)
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
    return await create(key, bytes);
  };
  const manager = await cluster.manager("tm", 1);
  manager.cut();
  answer();
  await cluster.run(10);
  expect(manager.commands("startRunner")).toEqual([]);
  await cluster.manager("other", 1);
  await cluster.run(10);
  expect(cluster.states()).toEqual(["RUNNING"]);
  expect(job.attempt).toBe(2);
});
