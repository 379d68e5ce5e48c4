/**
 * The REST contract as data: every path, what it takes, what it answers. The server, the client and the OpenAPI page read this
 * table and nothing else. All paths are served under `/v1` and, as Flink does, without it.
 */
import type { TSchema } from "typebox";
import * as s from "./schemas.ts";
import { aggregatedMetricsSchema, emptySchema, metricsSchema } from "./schemas-base.ts";
import * as checkpoints from "./schemas-checkpoints.ts";
import * as cluster from "./schemas-cluster.ts";
import * as vertices from "./schemas-vertices.ts";

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

const job = "/jobs/:jobid";
const vertex = `${job}/vertices/:vertexid` as const;
const subtask = `${vertex}/subtasks/:subtaskindex` as const;
const details = `${job}/checkpoints/details/:checkpointid` as const;
const taskManager = "/taskmanagers/:taskmanagerid";

export const routes = {
  overview: get("/overview", "Slots, TaskManagers and jobs by state", cluster.overviewSchema),
  config: get("/config", "What a dashboard needs to know about this server", cluster.configSchema),
  jobManagerConfig: get(
    "/jobmanager/config",
    "Options of the JobManager as they hold",
    cluster.clusterConfigSchema,
  ),
  jobManagerEnvironment: get(
    "/jobmanager/environment",
    "The JobManager's process",
    cluster.environmentSchema,
  ),
  jobManagerMetrics: get("/jobmanager/metrics", "Metrics of the cluster", metricsSchema, ["get"]),
  jobs: get("/jobs", "Ids and states of all jobs", s.jobIdsSchema),
  jobsOverview: get("/jobs/overview", "All jobs with counts of their tasks", s.jobsOverviewSchema),
  jobsMetrics: get(
    "/jobs/metrics",
    "Metrics of jobs, over all or those named",
    aggregatedMetricsSchema,
    ["get", "agg", "jobs"],
  ),
  job: get(job, "One job: state, vertices, plan", s.jobDetailSchema),
  jobStatus: get(`${job}/status`, "State of a job", s.jobStatusSchema),
  jobConfig: get(`${job}/config`, "Options of a job", s.jobConfigSchema),
  jobPlan: get(`${job}/plan`, "The job's plan", s.planSchema),
  jobMetrics: get(`${job}/metrics`, "Metrics of a job", metricsSchema, ["get"]),
  jobAccumulators: get(
    `${job}/accumulators`,
    "Empty: there are no accumulators",
    s.jobAccumulatorsSchema,
    ["includeSerializedValue"],
  ),
  jobResult: get(`${job}/execution-result`, "How a job ended, if it has", s.executionResultSchema),
  jobExceptions: get(`${job}/exceptions`, "What went wrong, newest first", s.exceptionsSchema, [
    "maxExceptions",
    "failureLabelFilter",
  ]),
  jobLogs: get(`${job}/logs`, "The tail of the job's logs", s.logsSchema, ["lines"]),
  cancelJob: {
    method: "PATCH",
    path: job,
    summary: "Cancels a job",
    query: ["mode"],
    answer: emptySchema,
    status: 202,
  },
  checkpoints: get(
    `${job}/checkpoints`,
    "Counts, latest and history of checkpoints",
    checkpoints.checkpointsSchema,
  ),
  triggerCheckpoint: {
    method: "POST",
    path: `${job}/checkpoints`,
    summary: "Triggers a checkpoint; the same triggerId for the same job starts nothing again",
    body: checkpoints.triggerSchema,
    answer: checkpoints.triggerAnswerSchema,
    status: 202,
  },
  checkpointConfig: get(
    `${job}/checkpoints/config`,
    "Checkpoint options of the job",
    checkpoints.checkpointConfigSchema,
  ),
  checkpointDetails: get(details, "One checkpoint, by vertex", checkpoints.checkpointSchema),
  checkpointVertex: get(
    `${details}/subtasks/:vertexid`,
    "One vertex in a checkpoint, by subtask",
    checkpoints.checkpointVertexSchema,
  ),
  checkpointStatus: get(
    `${job}/checkpoints/:triggerid`,
    "What became of a triggered checkpoint",
    checkpoints.triggerStatusSchema,
  ),
  vertex: get(vertex, "One vertex with its subtasks", vertices.vertexDetailSchema),
  vertexTimes: get(
    `${vertex}/subtasktimes`,
    "When each subtask reached its states",
    vertices.subtaskTimesSchema,
  ),
  vertexTaskManagers: get(
    `${vertex}/taskmanagers`,
    "The vertex by TaskManager",
    vertices.vertexTaskManagersSchema,
  ),
  vertexAccumulators: get(
    `${vertex}/accumulators`,
    "Empty: there are no accumulators",
    vertices.vertexAccumulatorsSchema,
  ),
  vertexWatermarks: get(
    `${vertex}/watermarks`,
    "Input watermark of each subtask; the least there is before the first",
    vertices.watermarksSchema,
  ),
  vertexBackpressure: get(
    `${vertex}/backpressure`,
    "Busy, idle and backpressured share of each subtask",
    vertices.backpressureSchema,
  ),
  vertexMetrics: get(`${vertex}/metrics`, "Metrics of all subtasks", metricsSchema, ["get"]),
  subtasksMetrics: get(
    `${vertex}/subtasks/metrics`,
    "Metrics over all subtasks, or those named",
    aggregatedMetricsSchema,
    ["get", "agg", "subtasks"],
  ),
  subtask: get(subtask, "One subtask", vertices.subtaskSchema),
  subtaskAttempt: get(
    `${subtask}/attempts/:attempt`,
    "One subtask in the current attempt",
    vertices.subtaskSchema,
  ),
  subtaskMetrics: get(`${subtask}/metrics`, "Metrics of one subtask", metricsSchema, ["get"]),
  taskManagers: get("/taskmanagers", "All TaskManagers", cluster.taskManagersSchema),
  taskManagersMetrics: get(
    "/taskmanagers/metrics",
    "Metrics over all TaskManagers, or those named",
    aggregatedMetricsSchema,
    ["get", "agg", "taskmanagers"],
  ),
  taskManager: get(taskManager, "One TaskManager", cluster.taskManagerSchema),
  taskManagerMetrics: get(`${taskManager}/metrics`, "Metrics of a TaskManager", metricsSchema, [
    "get",
  ]),
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
