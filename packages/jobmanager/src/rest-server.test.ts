import { silentLogger } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import { Coordinator, coordinatorOptions } from "@millrace/coordinator";
import { type Route, type RouteName, routes } from "@millrace/protocol/rest";
import { memoryBlobStore } from "@millrace/spi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bundles } from "./bundles.ts";
import { graph } from "./graph.fixture.ts";
import { createRestApp, type RestContext } from "./rest-server.ts";

const store = memoryBlobStore();
const coordinator = new Coordinator({
  platform: nodePlatform,
  logger: silentLogger,
  store,
  options: coordinatorOptions.defaults,
  onEnd() {},
});
const context: RestContext = {
  coordinator,
  bundles: new Bundles(store, nodePlatform.clock),
  platform: nodePlatform,
  logger: silentLogger,
  config: { "heartbeat.interval": "500ms" },
  environment: { version: "v24.0.0", arch: "x64", options: [] },
  metricsText: async () => ({ contentType: "text/plain", text: "" }),
};
const app = createRestApp(context);
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
/** What a job without slots has; subtasks, checkpoints and TaskManagers are swept on a cluster (tests/observability). */
const answered = (Object.entries(routes) as [RouteName, Route][]).filter(
  ([, route]) =>
    route.method === "GET" &&
    !/:(subtaskindex|checkpointid|triggerid|taskmanagerid)/.test(route.path),
);

test.each(answered)("RST-1: %s answers for a job that waits for slots", async (_name, route) => {
  const response = await app.inject({ method: "GET", url: `/v1${path(route)}` });
  expect(response.statusCode, response.body).toBe(route.status);
});

test("RST-1: an answer that is not of its schema does not leave", async () => {
  const broken = createRestApp({ ...context, config: { "heartbeat.interval": 500 as never } });
  const response = await broken.inject("/v1/jobmanager/config");
  await broken.close();
  expect(response.statusCode).toBe(500);
  const { error } = response.json() as { error: { code: string; domain: string; fields: object } };
  expect(error).toMatchObject({ code: "REST_INTERNAL", domain: "internal" });
  expect(error.fields).toEqual({
    path: "/jobmanager/config",
    problems: [expect.stringContaining("/0/value")],
  });
});

test("paths are served with and without the version, as Flink's tools expect", async () => {
  const [a, b] = await Promise.all([app.inject("/jobs"), app.inject("/v1/jobs")]);
  expect(a.json()).toEqual(b.json());
  expect(a.json()).toEqual({ jobs: [{ id: jobId, status: "CREATED" }] });
});

test.each([
  ["an unknown path", "GET", "/v1/nothing", undefined, 404, "REST_NOT_FOUND"],
  ["an unknown job", "GET", `/v1/jobs/${"0".repeat(32)}`, undefined, 404, "JOB_NOT_FOUND"],
  [
    "an unknown vertex",
    "GET",
    `/v1/jobs/${jobId}/vertices/v9`,
    undefined,
    404,
    "REST_NO_SUCH_ENTRY",
  ],
  [
    "an unknown subtask",
    "GET",
    `/v1/jobs/${jobId}/vertices/v0/subtasks/7`,
    undefined,
    404,
    "REST_NO_SUCH_ENTRY",
  ],
  [
    "an unknown checkpoint",
    "GET",
    `/v1/jobs/${jobId}/checkpoints/details/9`,
    undefined,
    404,
    "REST_NO_SUCH_ENTRY",
  ],
  [
    "an unknown trigger",
    "GET",
    `/v1/jobs/${jobId}/checkpoints/xyz`,
    undefined,
    404,
    "REST_NO_SUCH_ENTRY",
  ],
  ["an unknown taskmanager", "GET", "/v1/taskmanagers/x", undefined, 404, "REST_NO_SUCH_ENTRY"],
  [
    "a subtask in other figures",
    "GET",
    `/v1/jobs/${jobId}/vertices/v0/subtasks/0x0`,
    undefined,
    404,
    "REST_NO_SUCH_ENTRY",
  ],
  ["a path that can't be decoded", "GET", "/v1/jobs/%ZZ", undefined, 400, "REST_BAD_REQUEST"],
  [
    "a type of checkpoint that is not there",
    "POST",
    `/v1/jobs/${jobId}/checkpoints`,
    { checkpointType: "BANANA" },
    400,
    "REST_BAD_REQUEST",
  ],
  [
    "an unknown aggregation",
    "GET",
    "/v1/jobs/metrics?agg=median",
    undefined,
    400,
    "REST_BAD_REQUEST",
  ],
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

test("RST-2: what is not there is named with what is nearest, what is wrong with a body by its place", async () => {
  const refusal = async (method: "GET" | "POST", url: string, payload?: object) =>
    (
      (await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })).json() as {
        error: { fields: object };
      }
    ).error.fields;
  expect(await refusal("GET", `/v1/jobs/${jobId}/vertices/v9`)).toEqual({
    vertex: "v9",
    nearest: "v0",
    there: ["v0"],
  });
  const checkpoints = `/v1/jobs/${jobId}/checkpoints`;
  expect(await refusal("POST", checkpoints, { kind: "x" })).toEqual({
    problems: ["must NOT have additional properties: kind"],
  });
  const { problems } = (await refusal("POST", checkpoints, { checkpointType: "BANANA" })) as {
    problems: readonly string[];
  };
  expect(problems[0]).toMatch(/^\/checkpointType must be equal to constant/);
});

test("RST-2: a body of another type is the caller's fault, in our form", async () => {
  const response = await app.inject({
    method: "POST",
    url: `/v1/jobs/${jobId}/checkpoints`,
    payload: "<a/>",
    headers: { "content-type": "text/xml" },
  });
  expect(response.statusCode).toBe(415);
  expect((response.json() as { error: object }).error).toEqual({
    code: "REST_BAD_REQUEST",
    domain: "user",
    retry: "never",
    message: expect.any(String),
    fix: expect.any(String),
    fields: { reason: "Unsupported Media Type" },
  });
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
  expect((await app.inject("/openapi.json")).body).toBe(
    (await app.inject("/v1/openapi.json")).body,
  );
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
