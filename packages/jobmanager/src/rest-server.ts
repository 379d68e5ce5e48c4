/**
 * The REST server: the route table of the protocol, each row with its handler. Served under `/v1` and, for Flink's tools, without it.
 *
 * RST-1  A body or query that is not of the schema is refused with `REST_BAD_REQUEST` before a handler sees it; an answer is
 *        serialised by its schema, so nothing undeclared leaves.
 * RST-2  Every error answers `{ errors, error }` with a code; a user's fault is 4xx, everything else 5xx.
 */
import { type ErrorInfo, errorInfo, type Logger, type Platform } from "@millrace/base";
import type { Coordinator, JobMaster } from "@millrace/coordinator";
import type { JobGraph } from "@millrace/graph";
import { openApi, type Route, type RouteName, type RunBundle, routes } from "@millrace/protocol";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { Bundles } from "./bundles.ts";
import { maxBundleBytes } from "./bundles.ts";
import { fail } from "./fail.ts";
import { Triggers } from "./triggers.ts";
import * as views from "./views.ts";

export interface RestServer {
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

export interface RestContext {
  readonly coordinator: Coordinator;
  readonly bundles: Bundles;
  readonly platform: Platform;
  readonly logger: Logger;
  /** Prometheus text of this process. */
  readonly metricsText: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}
type Handler = (call: Call) => unknown | Promise<unknown>;

/** Listens on `host`:`port` (0: any free port). Rejects `JOBMANAGER_PORT_TAKEN`. */
export async function startRestServer(
  context: RestContext,
  listen: { readonly host: string; readonly port: number },
): Promise<RestServer> {
  const app = createRestApp(context);
  try {
    // It writes into what it is given.
    await app.listen({ ...listen });
  } catch (error) {
    await app.close();
    if ((error as { code?: string }).code === "EADDRINUSE")
      throw fail("JOBMANAGER_PORT_TAKEN", {
        fields: { host: listen.host, port: listen.port, service: "rest" },
        cause: error,
      });
    throw error;
  }
  const bound = app.addresses()[0];
  const port = typeof bound === "object" ? bound.port : listen.port;
  return { port, address: `http://${listen.host}:${port}`, close: () => app.close() };
}

/** The server without a socket, for tests. */
export function createRestApp(context: RestContext): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: maxBundleBytes,
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  app.addContentTypeParser(
    ["application/javascript", "text/javascript", "application/octet-stream"],
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(body as string));
    } catch (error) {
      done(fail("REST_BAD_REQUEST", { fields: { reason: (error as Error).message } }));
    }
  });
  app.setErrorHandler((error, _request, reply) => {
    const validation = (
      error as { validation?: readonly { message?: string; instancePath?: string }[] }
    ).validation;
    const info =
      validation === undefined
        ? errorInfo(error, statusOf(error) < 500 ? "REST_BAD_REQUEST" : "REST_INTERNAL")
        : errorInfo(
            fail("REST_BAD_REQUEST", {
              fields: {
                reason: validation
                  .map((v) => `${v.instancePath ?? ""} ${v.message ?? ""}`.trim())
                  .join("; "),
              },
            }),
          );
    const status = validation !== undefined ? 400 : statusOf(error, info);
    if (status >= 500)
      context.logger.error("request failed", { code: info.code, error: info.message });
    void reply.status(status).send({ errors: [textOf(info)], error: withoutStack(info) });
  });
  app.setNotFoundHandler((request, reply) => {
    const info = errorInfo(fail("REST_NOT_FOUND", { fields: { path: request.url } }));
    void reply.status(404).send({ errors: [textOf(info)], error: withoutStack(info) });
  });
  const all = handlers(context);
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    for (const prefix of ["/v1", ""]) mount(app, prefix, route, all[name]);
  }
  const description = openApi(views.version);
  app.get("/v1/openapi.json", () => description);
  app.get("/metrics", async (_request, reply) => {
    const { contentType, text } = await context.metricsText();
    return await reply.header("content-type", contentType).send(text);
  });
  return app;
}

function mount(app: FastifyInstance, prefix: string, route: Route, handler: Handler): void {
  app.route({
    method: route.method,
    url: `${prefix}${route.path}`,
    schema: {
      ...(route.body === undefined ? {} : { body: { anyOf: [route.body, { type: "null" }] } }),
      ...(route.query === undefined
        ? {}
        : {
            querystring: {
              type: "object",
              properties: Object.fromEntries(route.query.map((name) => [name, { type: "string" }])),
              additionalProperties: false,
            },
          }),
      response: { [route.status]: route.answer },
    },
    // An absent body is an empty one: curl -X POST must do.
    preValidation: (request: FastifyRequest, _reply, done) => {
      if (route.body !== undefined && request.body === undefined) request.body = {};
      done();
    },
    handler: async (request, reply) => {
      const answer = await handler({
        params: request.params as Record<string, string>,
        query: (request.query ?? {}) as Record<string, string>,
        body: request.body,
      });
      return await reply.status(route.status).send(answer);
    },
  });
}

function handlers({
  coordinator,
  bundles,
  platform,
}: RestContext): Readonly<Record<RouteName, Handler>> {
  const now = () => platform.clock.now();
  const triggers = new Triggers(platform);
  const jobOf = (call: Call) => coordinator.job(call.params["jobid"] ?? "");
  const vertexOf = (job: JobMaster, call: Call) => {
    const vertex = job.submission.graph.vertices.find(
      (candidate) => candidate.id === call.params["vertexid"],
    );
    if (vertex === undefined)
      throw fail("REST_NOT_FOUND", { fields: { vertex: call.params["vertexid"] ?? "" } });
    return vertex;
  };
  const samplesOf = (call: Call) =>
    coordinator.metrics
      .of(call.params["jobid"] ?? "")
      .filter((sample) => sample.vertex === call.params["vertexid"])
      .sort((a, b) => a.subtask - b.subtask);
  return {
    overview: () => views.overview(coordinator),
    config: () => ({
      "refresh-interval": 3_000,
      "millrace-version": views.version,
      "flink-version": views.flinkVersion,
      "timezone-name": "UTC",
      "timezone-offset": 0,
    }),
    jobs: () => ({
      jobs: coordinator.jobs.map((job) => ({ id: job.submission.jobId, status: job.status.state })),
    }),
    jobsOverview: () => ({ jobs: coordinator.jobs.map((job) => views.jobSummary(job, now())) }),
    job: (call) => views.jobDetail(jobOf(call), coordinator, now()),
    jobPlan: (call) => views.plan(jobOf(call)),
    jobExceptions: (call) =>
      views.exceptions(jobOf(call), bounded(call.query["maxExceptions"], 20, 1_000)),
    jobLogs: async (call) => ({
      log: await coordinator.logs(
        jobOf(call).submission.jobId,
        bounded(call.query["lines"], 200, 10_000),
      ),
    }),
    cancelJob: (call) => {
      const mode = call.query["mode"] ?? "cancel";
      if (mode !== "cancel")
        throw fail("REST_BAD_REQUEST", { fields: { mode, allowed: ["cancel"] } });
      coordinator.cancel(jobOf(call).submission.jobId);
      return {};
    },
    checkpoints: (call) => views.checkpoints(jobOf(call)),
    triggerCheckpoint: (call) => {
      const job = jobOf(call);
      return {
        "request-id": triggers.start(
          (call.body as { triggerId?: string } | undefined)?.triggerId,
          () => job.requestCheckpoint(),
        ),
      };
    },
    checkpointConfig: (call) => {
      const { checkpoint } = jobOf(call).submission.graph.options;
      return {
        mode: "exactly_once",
        interval: checkpoint.intervalMs,
        timeout: checkpoint.timeoutMs,
        min_pause: checkpoint.minPauseMs,
        max_concurrent: 1,
        tolerable_failed_checkpoints: checkpoint.tolerableFailures,
        state_backend: "hashmap",
        num_retained: checkpoint.retained,
        externalization: {
          enabled: true,
          delete_on_cancellation: checkpoint.onCancel === "delete",
        },
      };
    },
    checkpointDetails: (call) => {
      const record = jobOf(call).checkpointing.history.find(Number(call.params["checkpointid"]));
      if (record === undefined)
        throw fail("REST_NOT_FOUND", { fields: { checkpoint: call.params["checkpointid"] ?? "" } });
      return views.checkpointView(record);
    },
    checkpointStatus: (call) => {
      jobOf(call);
      const status = triggers.status(call.params["triggerid"] ?? "");
      if (status === undefined)
        throw fail("REST_NOT_FOUND", { fields: { trigger: call.params["triggerid"] ?? "" } });
      return status;
    },
    vertex: (call) => {
      const job = jobOf(call);
      return views.vertexDetail(job, vertexOf(job, call), coordinator, now());
    },
    vertexWatermarks: (call) => {
      vertexOf(jobOf(call), call);
      return samplesOf(call)
        .filter(
          (sample) => sample.name === "currentInputWatermark" && sample.operator === undefined,
        )
        .map((sample) => ({
          id: `${sample.subtask}.currentInputWatermark`,
          value: String(sample.value),
        }));
    },
    vertexBackpressure: (call) => {
      const job = jobOf(call);
      const samples = samplesOf(call);
      const share = (subtask: number, name: string) =>
        (samples.find((s) => s.subtask === subtask && s.name === name && s.operator === undefined)
          ?.value ?? 0) / 1_000;
      const subtasks = views.tasksOf(job, vertexOf(job, call)).map(({ subtask }) => {
        const ratio = share(subtask, "backPressuredTimeMsPerSecond");
        return {
          subtask,
          "backpressure-level": levelOf(ratio),
          ratio,
          idleRatio: share(subtask, "idleTimeMsPerSecond"),
          busyRatio: share(subtask, "busyTimeMsPerSecond"),
        };
      });
      return {
        status: "ok",
        "backpressure-level": levelOf(Math.max(0, ...subtasks.map((s) => s.ratio))),
        "end-timestamp": now(),
        subtasks,
      };
    },
    vertexMetrics: (call) => {
      vertexOf(jobOf(call), call);
      const wanted = call.query["get"]?.split(",");
      const id = (s: { subtask: number; operator?: string; name: string }) =>
        `${s.subtask}.${s.operator === undefined ? "" : `${s.operator}.`}${s.name}`;
      const samples = samplesOf(call);
      if (wanted === undefined) return samples.map((sample) => ({ id: id(sample) }));
      return samples
        .filter((sample) => wanted.includes(id(sample)))
        .map((sample) => ({ id: id(sample), value: String(sample.value) }));
    },
    subtask: (call) => {
      const job = jobOf(call);
      const task = job.execution?.task(vertexOf(job, call).id, Number(call.params["subtaskindex"]));
      if (task === undefined)
        throw fail("REST_NOT_FOUND", { fields: { subtask: call.params["subtaskindex"] ?? "" } });
      return views.subtaskView(job, task, samplesOf(call), coordinator, now());
    },
    taskManagers: () => ({
      taskmanagers: coordinator.taskManagers
        .all()
        .map((entry) => views.taskManagerView(entry, platform.clock.monotonic())),
    }),
    taskManager: (call) => {
      const entry = coordinator.taskManagers.get(call.params["taskmanagerid"] ?? "");
      if (entry === undefined)
        throw fail("REST_NOT_FOUND", {
          fields: { taskManager: call.params["taskmanagerid"] ?? "" },
        });
      return views.taskManagerView(entry, platform.clock.monotonic());
    },
    bundles: async () => ({ bundles: await bundles.list() }),
    uploadBundle: async (call) => {
      if (!(call.body instanceof Uint8Array) || call.body.length === 0)
        throw fail("REST_BAD_REQUEST", { fields: { reason: "the body is not a bundle" } });
      const info = await bundles.add(call.body, call.query["name"] ?? "bundle", now());
      return { status: "success", filename: info.id, id: info.id };
    },
    runBundle: async (call) => ({ jobid: await runBundle(call, coordinator, bundles) }),
  };
}

/** A client that has built the graph sends it along; for one that has not, a TaskManager builds it from the bundle. */
async function runBundle(call: Call, coordinator: Coordinator, bundles: Bundles): Promise<string> {
  const request = (call.body ?? {}) as RunBundle;
  const bundle = await bundles.keyOf(call.params["bundleid"] ?? "");
  const build = {
    parameters: request.parameters ?? {},
    ...(request.parallelism === undefined ? {} : { parallelism: request.parallelism }),
  };
  let graph = request.graph as JobGraph | undefined;
  if (graph === undefined) {
    const answer = await coordinator.plan(bundle, build);
    if (answer.error !== "")
      throw fail("REST_BAD_REQUEST", {
        fields: { reason: (JSON.parse(answer.error) as ErrorInfo).message, detail: answer.error },
      });
    graph = JSON.parse(answer.graph) as JobGraph;
  }
  if (graph.formatVersion !== 1 || !Array.isArray(graph.vertices))
    throw fail("REST_BAD_REQUEST", { fields: { reason: "graph is not a job graph of format 1" } });
  return await coordinator.submit({
    jobName: request.jobName ?? graph.options.name,
    graph,
    bundle,
    build,
    ...(request.jobId === undefined ? {} : { jobId: request.jobId }),
  });
}

function bounded(text: string | undefined, otherwise: number, max: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw fail("REST_BAD_REQUEST", { fields: { value: text, allowed: `1 to ${max}` } });
  return value;
}

function levelOf(ratio: number): string {
  return ratio > 0.5 ? "high" : ratio > 0.1 ? "low" : "ok";
}

function statusOf(error: unknown, info?: ErrorInfo): number {
  const given = (error as { statusCode?: number }).statusCode;
  if (given !== undefined) return given;
  switch (info?.code) {
    case "JOB_NOT_FOUND":
    case "REST_NOT_FOUND":
    case "BUNDLE_NOT_FOUND":
      return 404;
    case "JOB_ALREADY_TERMINAL":
    case "JOB_NOT_RUNNING":
      return 409;
    case "BUNDLE_TOO_LARGE":
      return 413;
    case "JOB_LEADER_ENDED":
      return 503;
    default:
      return info?.domain === "user" && info.code !== "REST_INTERNAL"
        ? 400
        : info?.domain === "external"
          ? 502
          : 500;
  }
}

function textOf(info: ErrorInfo): string {
  const fields = Object.entries(info.fields)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
  return `${info.code}: ${info.message}${fields === "" ? "" : ` (${fields})`}. ${info.fix}`;
}
function withoutStack({ stack: _stack, cause, ...info }: ErrorInfo): ErrorInfo {
  return { ...info, ...(cause === undefined ? {} : { cause: withoutStack(cause) }) };
}
