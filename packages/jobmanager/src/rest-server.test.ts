import { silentLogger } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import { Coordinator, coordinatorOptions } from "@millrace/coordinator";
import { answerErrors, type Route, type RouteName, routes } from "@millrace/protocol";
import { memoryBlobStore } from "@millrace/spi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bundles } from "./bundles.ts";
import { createRestApp } from "./rest-server.ts";

const store = memoryBlobStore();
const coordinator = new Coordinator({
  platform: nodePlatform,
  logger: silentLogger,
  store,
  options: coordinatorOptions.defaults,
  onEnd() {},
});
const app = createRestApp({
  coordinator,
  bundles: new Bundles(store),
  platform: nodePlatform,
  logger: silentLogger,
  metricsText: async () => ({ contentType: "text/plain", text: "" }),
});
const graph = {
  formatVersion: 1,
  options: {
    name: "job",
    parallelism: 1,
    bufferTimeoutMs: 5,
    autoWatermarkIntervalMs: 200,
    requireTypes: false,
    checkpoint: {
      intervalMs: 1000,
      timeoutMs: 1000,
      minPauseMs: 0,
      tolerableFailures: 0,
      retained: 1,
      mode: "exactly-once",
      onCancel: "retain",
    },
    restart: {
      strategy: "none",
      attempts: 0,
      delayMs: 0,
      maxDelayMs: 0,
      multiplier: 1,
      jitter: 0,
      resetAfterMs: 0,
      failureRateIntervalMs: 0,
    },
  },
  vertices: [
    {
      id: "v0",
      name: "source",
      parallelism: 1,
      maxParallelism: 128,
      slotSharingGroup: "default",
      role: "task",
      operators: [],
    },
  ],
  edges: [],
  digest: "0",
};
const jobId = "a".repeat(32);

beforeAll(async () => {
  await coordinator.start();
  const uploaded = await app.inject({
    method: "POST",
    url: "/v1/bundles/upload?name=job.ts",
    payload: Buffer.from("export {}"),
    headers: { "content-type": "application/javascript" },
  });
  const { id } = uploaded.json() as { id: string };
  const run = await app.inject({
    method: "POST",
    url: `/v1/bundles/${id}/run`,
    payload: { graph, jobId, jobName: "job" },
  });
  expect(run.json()).toEqual({ jobid: jobId });
});
afterAll(async () => {
  coordinator.close();
  await app.close();
});

const path = (route: Route) => route.path.replace(":jobid", jobId).replace(":vertexid", "v0");
const answered = (Object.entries(routes) as [RouteName, Route][]).filter(
  ([, route]) =>
    route.method === "GET" &&
    !/:(subtaskindex|checkpointid|triggerid|taskmanagerid)/.test(route.path),
);

test.each(answered)("RST-1: the answer of %s is of its schema", async (_name, route) => {
  const response = await app.inject({ method: "GET", url: `/v1${path(route)}` });
  expect(response.statusCode).toBe(route.status);
  expect(answerErrors(route, response.json())).toEqual([]);
});

test("paths are served with and without the version, as Flink's tools expect", async () => {
  const [a, b] = await Promise.all([app.inject("/jobs"), app.inject("/v1/jobs")]);
  expect(a.json()).toEqual(b.json());
  expect(a.json()).toEqual({ jobs: [{ id: jobId, status: "CREATED" }] });
});

test.each([
  ["an unknown path", "GET", "/v1/nothing", undefined, 404, "REST_NOT_FOUND"],
  ["an unknown job", "GET", `/v1/jobs/${"0".repeat(32)}`, undefined, 404, "JOB_NOT_FOUND"],
  ["an unknown vertex", "GET", `/v1/jobs/${jobId}/vertices/v9`, undefined, 404, "REST_NOT_FOUND"],
  [
    "an unknown subtask",
    "GET",
    `/v1/jobs/${jobId}/vertices/v0/subtasks/7`,
    undefined,
    404,
    "REST_NOT_FOUND",
  ],
  [
    "an unknown checkpoint",
    "GET",
    `/v1/jobs/${jobId}/checkpoints/details/9`,
    undefined,
    404,
    "REST_NOT_FOUND",
  ],
  [
    "an unknown trigger",
    "GET",
    `/v1/jobs/${jobId}/checkpoints/xyz`,
    undefined,
    404,
    "REST_NOT_FOUND",
  ],
  ["an unknown taskmanager", "GET", "/v1/taskmanagers/x", undefined, 404, "REST_NOT_FOUND"],
  ["an unknown bundle", "POST", "/v1/bundles/xyz/run", {}, 404, "BUNDLE_NOT_FOUND"],
  [
    "an unknown query",
    "GET",
    `/v1/jobs/${jobId}/exceptions?max=3`,
    undefined,
    400,
    "REST_BAD_REQUEST",
  ],
  [
    "a count that is no number",
    "GET",
    `/v1/jobs/${jobId}/exceptions?maxExceptions=x`,
    undefined,
    400,
    "REST_BAD_REQUEST",
  ],
  [
    "a mode that is not there",
    "PATCH",
    `/v1/jobs/${jobId}?mode=stop`,
    undefined,
    400,
    "REST_BAD_REQUEST",
  ],
  [
    "a body with an unknown field",
    "POST",
    `/v1/jobs/${jobId}/checkpoints`,
    { kind: "x" },
    400,
    "REST_BAD_REQUEST",
  ],
] as const)("RST-2: %s answers a code", async (_what, method, url, payload, status, code) => {
  const response = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  const body = response.json() as { errors: string[]; error: { code: string; fix: string } };
  expect([response.statusCode, body.error.code]).toEqual([status, code]);
  expect(body.errors).toHaveLength(1);
  expect(body.error.fix).not.toBe("");
});

test("RST-2: a body that is not JSON is refused", async () => {
  const response = await app.inject({
    method: "POST",
    url: `/v1/jobs/${jobId}/checkpoints`,
    payload: "{",
    headers: { "content-type": "application/json" },
  });
  expect(response.statusCode).toBe(400);
});

test("the OpenAPI page names every route", async () => {
  const description = (await app.inject("/v1/openapi.json")).json() as {
    paths: Record<string, Record<string, unknown>>;
  };
  const listed = Object.values(description.paths).reduce(
    (sum, methods) => sum + Object.keys(methods).length,
    0,
  );
  expect(listed).toBe(Object.keys(routes).length);
});

test("a job without slots is cancelled at once, and only once", async () => {
  expect((await app.inject({ method: "PATCH", url: `/v1/jobs/${jobId}` })).statusCode).toBe(202);
  await expect
    .poll(async () => ((await app.inject(`/v1/jobs/${jobId}`)).json() as { state: string }).state)
    .toBe("CANCELED");
  expect((await app.inject({ method: "PATCH", url: `/v1/jobs/${jobId}` })).statusCode).toBe(409);
});
