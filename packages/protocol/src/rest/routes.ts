/**
 * The REST contract as data: every path, what it takes, what it answers. The server, the client and the OpenAPI page read this
 * table and nothing else. All paths are served under `/v1` and, as Flink does, without it.
 */
import type { TSchema } from "typebox";
import * as s from "./schemas.ts";

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** `:name` marks a parameter. */
  readonly path: string;
  readonly summary: string;
  readonly body?: TSchema;
  /** Query parameters, all optional text. */
  readonly query?: readonly string[];
  readonly answer: TSchema;
  readonly status: 200 | 202;
  /** The body is the bundle itself, not JSON. */
  readonly binary?: true;
}

const get = (path: string, summary: string, answer: TSchema, query?: readonly string[]): Route => ({
  method: "GET",
  path,
  summary,
  answer,
  status: 200,
  ...(query === undefined ? {} : { query }),
});

export const routes = {
  overview: get("/overview", "Slots, TaskManagers and jobs by state", s.overviewSchema),
  config: get("/config", "What a dashboard needs to know about this server", s.configSchema),
  jobs: get("/jobs", "Ids and states of all jobs", s.jobIdsSchema),
  jobsOverview: get("/jobs/overview", "All jobs with counts of their tasks", s.jobsOverviewSchema),
  job: get("/jobs/:jobid", "One job: state, vertices, plan", s.jobDetailSchema),
  jobPlan: get("/jobs/:jobid/plan", "The job's plan", s.planSchema),
  jobExceptions: get(
    "/jobs/:jobid/exceptions",
    "What went wrong, newest first",
    s.exceptionsSchema,
    ["maxExceptions"],
  ),
  jobLogs: get("/jobs/:jobid/logs", "The tail of the job's logs", s.logsSchema, ["lines"]),
  cancelJob: {
    method: "PATCH",
    path: "/jobs/:jobid",
    summary: "Cancels a job",
    query: ["mode"],
    answer: s.emptySchema,
    status: 202,
  },
  checkpoints: get(
    "/jobs/:jobid/checkpoints",
    "Counts, latest and history of checkpoints",
    s.checkpointsSchema,
  ),
  triggerCheckpoint: {
    method: "POST",
    path: "/jobs/:jobid/checkpoints",
    summary: "Triggers a checkpoint",
    body: s.triggerSchema,
    answer: s.triggerAnswerSchema,
    status: 202,
  },
  checkpointConfig: get(
    "/jobs/:jobid/checkpoints/config",
    "Checkpoint options of the job",
    s.checkpointConfigSchema,
  ),
  checkpointDetails: get(
    "/jobs/:jobid/checkpoints/details/:checkpointid",
    "One checkpoint",
    s.checkpointSchema,
  ),
  checkpointStatus: get(
    "/jobs/:jobid/checkpoints/:triggerid",
    "What became of a triggered checkpoint",
    s.triggerStatusSchema,
  ),
  vertex: get(
    "/jobs/:jobid/vertices/:vertexid",
    "One vertex with its subtasks",
    s.vertexDetailSchema,
  ),
  vertexWatermarks: get(
    "/jobs/:jobid/vertices/:vertexid/watermarks",
    "Input watermark of each subtask",
    s.watermarksSchema,
  ),
  vertexBackpressure: get(
    "/jobs/:jobid/vertices/:vertexid/backpressure",
    "Busy, idle and backpressured share of each subtask",
    s.backpressureSchema,
  ),
  vertexMetrics: get(
    "/jobs/:jobid/vertices/:vertexid/metrics",
    "Metrics of all subtasks; names without `get`",
    s.metricsSchema,
    ["get"],
  ),
  subtask: get(
    "/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex",
    "One subtask",
    s.subtaskSchema,
  ),
  taskManagers: get("/taskmanagers", "All TaskManagers", s.taskManagersSchema),
  taskManager: get("/taskmanagers/:taskmanagerid", "One TaskManager", s.taskManagerSchema),
  bundles: get("/bundles", "Uploaded bundles", s.bundlesSchema),
  uploadBundle: {
    method: "POST",
    path: "/bundles/upload",
    summary: "Uploads a bundle: the body is the module",
    query: ["name"],
    answer: s.uploadAnswerSchema,
    status: 200,
    binary: true,
  },
  runBundle: {
    method: "POST",
    path: "/bundles/:bundleid/run",
    summary: "Runs an uploaded bundle as a job",
    body: s.runBundleSchema,
    answer: s.runAnswerSchema,
    status: 200,
  },
} as const satisfies Readonly<Record<string, Route>>;
export type RouteName = keyof typeof routes;

/** The OpenAPI 3.1 description of the table. */
export function openApi(version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [operationId, route] of Object.entries(routes) as [string, Route][]) {
    const names = [...route.path.matchAll(/:([a-z]+)/g)].map((match) => match[1] ?? "");
    const path = `/v1${route.path.replace(/:([a-z]+)/g, "{$1}")}`;
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: {
        operationId,
        summary: route.summary,
        parameters: [
          ...names.map((name) => ({
            name,
            in: "path",
            required: true,
            schema: { type: "string" },
          })),
          ...(route.query ?? []).map((name) => ({
            name,
            in: "query",
            required: false,
            schema: { type: "string" },
          })),
        ],
        ...(route.binary === true
          ? {
              requestBody: {
                required: true,
                content: {
                  "application/javascript": { schema: { type: "string", format: "binary" } },
                },
              },
            }
          : {}),
        ...(route.body === undefined
          ? {}
          : {
              requestBody: {
                required: false,
                content: { "application/json": { schema: route.body } },
              },
            }),
        responses: {
          [route.status]: {
            description: route.summary,
            content: { "application/json": { schema: route.answer } },
          },
          default: {
            description: "An error with code, cause and fix",
            content: { "application/json": { schema: s.errorSchema } },
          },
        },
      },
    };
  }
  return { openapi: "3.1.0", info: { title: "Millrace REST API", version }, paths };
}
