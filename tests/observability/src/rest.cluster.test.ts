/**
 * RSW-1  Every path of the contract that can be read answers, for jobs that run, were restarted and have finished, what its schema
 *        says, and nothing is empty that has been going on.
 * RSW-2  A bundle is run without a graph; what its code throws while it is built is told with its own code.
 */
import { join } from "node:path";
import { bundleJob, submitJob } from "@millrace/client";
import {
  answerErrors,
  type Checkpoints,
  type CheckpointVertexView,
  type CheckpointView,
  executionStates,
  type JobDetail,
  type Route,
  type RouteName,
  routes,
  type SubtaskView,
  type TaskManagerView,
  type Watermarks,
} from "@millrace/protocol/rest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, until } from "./cluster.ts";

let cluster: Cluster;
const ids = { running: "", restarted: "", finished: "" };

beforeAll(async () => {
  cluster = await Cluster.start(3);
  const submit = async (name: string, parameters: Readonly<Record<string, string>>) => {
    const file = join(import.meta.dirname, "../jobs/sums.ts");
    const output = join(cluster.dir, name);
    const options = { file, check: false, jobName: name, parameters: { output, ...parameters } };
    return (await submitJob(cluster.client, options)).jobId;
  };
  const failed = join(cluster.dir, "failed-once");
  ids.finished = await submit("finished", { count: "10" });
  await stateOf(ids.finished, "FINISHED");
  ids.running = await submit("running", { count: "100000" });
  ids.restarted = await submit("restarted", { count: "100000", failAt: "250", failed });
  await until("a restart and checkpoints", async () => {
    const [job, counts] = await Promise.all([
      cluster.client.job(ids.restarted),
      cluster.client.checkpoints(ids.restarted),
    ]);
    return job.restarts > 0 && job.state === "RUNNING" && counts.counts.completed > 1
      ? true
      : undefined;
  });
}, 90_000);
afterAll(async () => {
  await cluster?.close();
});

const stateOf = (id: string, state: string) =>
  until(`${id} to be ${state}`, async () =>
    (await cluster.client.job(id)).state === state ? true : undefined,
  );

/** All that parameters of a path can be for a job. */
async function valuesOf(jobid: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const [job, checkpoints, managers, trigger] = await Promise.all([
    cluster.client.job(jobid),
    cluster.client.checkpoints(jobid),
    cluster.client.taskManagers(),
    cluster.client
      .call<{ "request-id": string }>("triggerCheckpoint", { params: { jobid }, body: {} })
      .then((answer) => answer["request-id"]),
  ]);
  return {
    jobid: [jobid],
    vertexid: job.vertices.map(({ id }) => id),
    subtaskindex: ["0"],
    attempt: [String(job.attempt)],
    checkpointid: checkpoints.history.slice(0, 3).map(({ id }) => String(id)),
    triggerid: [trigger],
    taskmanagerid: managers.taskmanagers.map(({ id }) => id),
  };
}
function pathsOf(route: Route, values: Readonly<Record<string, readonly string[]>>) {
  return [...route.path.matchAll(/:([a-z]+)/g)].reduce<readonly string[]>(
    (paths, [marker, name = ""]) =>
      paths.flatMap((path) => (values[name] ?? []).map((value) => path.replace(marker, value))),
    [route.path],
  );
}

test.each(["running", "restarted", "finished"] as const)(
  "RSW-1: every path, for a job that is %s",
  { timeout: 60_000 },
  async (which) => {
    const values = await valuesOf(ids[which]);
    for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
      if (route.method !== "GET") continue;
      // What is left of an ended job's tasks and checkpoints is gone after a while; here it is all there.
      const paths = pathsOf(route, values);
      expect(paths, name).not.toEqual([]);
      for (const path of paths) {
        const response = await fetch(`${cluster.rest}/v1${path}`);
        const answer: unknown = await response.json();
        expect(response.status, `${path} ${JSON.stringify(answer)}`).toBe(200);
        expect(answerErrors(route, answer), path).toEqual([]);
      }
    }
  },
);

const get = <A>(path: string) => cluster.get<A>(path);

test("RSW-1: what has been going on is told", async () => {
  const at = `/jobs/${ids.restarted}`;
  const job = await get<JobDetail>(at);
  expect(Object.keys(job["status-counts"]).sort()).toEqual([...executionStates].sort());
  expect((await get<{ plan: object }>(`${at}/plan`)).plan).toEqual(job.plan);
  expect(await get(`${at}/status`)).toEqual({ status: "RUNNING" });
  expect(await get(`${at}/execution-result`)).toEqual({ status: { id: "IN_PROGRESS" } });
  expect(await get(`/jobs/${ids.finished}/execution-result`)).toMatchObject({
    status: { id: "COMPLETED" },
    "job-execution-result": { "application-status": "SUCCEEDED" },
  });
  expect(await get(`${at}/metrics?get=numRestarts`)).toEqual([{ id: "numRestarts", value: "1" }]);
  expect(await get(`/jobs/metrics?get=numRestarts&agg=max&jobs=${ids.restarted}`)).toEqual([
    { id: "numRestarts", max: 1 },
  ]);
  const managers = (await get<{ taskmanagers: TaskManagerView[] }>("/taskmanagers")).taskmanagers;
  for (const { hardware, timeSinceLastHeartbeat } of managers) {
    expect(hardware.cpuCores).toBeGreaterThan(0);
    expect(hardware.physicalMemory).toBeGreaterThan(1_000_000);
    expect(Math.abs(Date.now() - timeSinceLastHeartbeat)).toBeLessThan(10_000);
  }
  const vertex = job.vertices.find(({ role }) => role === "task")?.id ?? "";
  const subtask = await get<SubtaskView>(`${at}/vertices/${vertex}/subtasks/0`);
  expect(subtask.endpoint).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(subtask["status-duration"]["RUNNING"]).toBeGreaterThan(0);
  expect(subtask.attempt).toBe(2);
  const watermarks = await get<Watermarks>(`${at}/vertices/${vertex}/watermarks`);
  expect(watermarks.length).toBeGreaterThan(0);
  // A job without event time has none.
  expect(new Set(watermarks.map(({ value }) => value))).toEqual(new Set(["-9223372036854775808"]));
});

test("RSW-1: checkpoints, their vertices and their subtasks add up", async () => {
  const at = `/jobs/${ids.restarted}/checkpoints`;
  const { latest, summary, history } = await get<Checkpoints>(at);
  expect(latest.restored?.external_path).toContain("/");
  expect(summary.end_to_end_duration.p999).toBeGreaterThanOrEqual(summary.end_to_end_duration.p50);
  expect(history.every(({ tasks }) => Object.keys(tasks).length === 0)).toBe(true);
  const one = await get<CheckpointView>(`${at}/details/${latest.completed?.id}`);
  const vertices = Object.values(one.tasks);
  expect(vertices.reduce((sum, each) => sum + each.num_subtasks, 0)).toBe(one.num_subtasks);
  expect(vertices.reduce((sum, each) => sum + each.state_size, 0)).toBe(one.state_size);
  expect(Math.max(...vertices.map((each) => each.latest_ack_timestamp))).toBe(
    one.latest_ack_timestamp,
  );
  expect(one.latest_ack_timestamp).toBeGreaterThanOrEqual(one.trigger_timestamp);
  for (const { id } of vertices) {
    const vertex = await get<CheckpointVertexView>(`${at}/details/${one.id}/subtasks/${id}`);
    expect(vertex.subtasks).toHaveLength(vertex.num_subtasks);
    expect(vertex.subtasks.every(({ status }) => status === "completed")).toBe(true);
  }
});

test("RSW-1: a failed job tells its cause, with place and labels", async () => {
  const at = `/jobs/${ids.restarted}/exceptions`;
  const { exceptionHistory } = await get<{
    exceptionHistory: { entries: readonly { endpoint: string; failureLabels: object }[] };
  }>(at);
  expect(exceptionHistory.entries[0]).toMatchObject({
    endpoint: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    failureLabels: {},
  });
});

test("RSW-2: a bundle without a graph", async () => {
  const upload = (source: string) => cluster.client.upload(Buffer.from(source), "a bundle");
  const bundle = await upload("export default 1;");
  await expect(cluster.client.run(bundle, { jobName: "no job" })).rejects.toMatchObject({
    code: "RUNNER_BUNDLE_BROKEN",
  });
  const good = await bundleJob(join(import.meta.dirname, "../jobs/sums.ts"));
  const id = await cluster.client.upload(good, "sums");
  await expect(cluster.client.run(id, { parameters: {} })).rejects.toMatchObject({
    code: "PARAM_MISSING",
    domain: "user",
  });
  const parameters = { output: join(cluster.dir, "graphless"), count: "5" };
  const jobId = await cluster.client.run(id, { parameters, jobName: "graphless" });
  await stateOf(jobId, "FINISHED");
});
