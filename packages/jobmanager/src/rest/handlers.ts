/** One handler for each route of the contract. */
import { type ErrorInfo, errorFromInfo, type Platform } from "@millrace/base";
import type { Coordinator, JobView } from "@millrace/coordinator";
import { decodeJobGraph } from "@millrace/graph";
import type { RouteName, RunBundle, Trigger } from "@millrace/protocol/rest";
import type { Bundles } from "../bundles.ts";
import { fail } from "../fail.ts";
import { ofCluster, ofJob, type Reading } from "../metrics.ts";
import { bounded, type Call, list, Named, unknown, wholeNumber } from "./calls.ts";
import * as checkpoints from "./checkpoints-view.ts";
import * as cluster from "./cluster-view.ts";
import * as jobs from "./jobs-view.ts";
import { aggregated, bySample, metrics, ofTaskManager } from "./metrics-view.ts";
import { Triggers } from "./triggers.ts";
import * as vertices from "./vertices-view.ts";

export interface HandlerContext {
  readonly coordinator: Coordinator;
  readonly bundles: Bundles;
  readonly platform: Platform;
  /** Options of the JobManager as they hold, for `/jobmanager/config`. */
  readonly config: Readonly<Record<string, string>>;
  /** The process, for `/jobmanager/environment`. */
  readonly environment: {
    readonly version: string;
    readonly arch: string;
    readonly options: readonly string[];
  };
}
export type Handler = (call: Call) => unknown | Promise<unknown>;
type Handlers<N extends RouteName> = Readonly<Record<N, Handler>>;

export function createHandlers(context: HandlerContext): Handlers<RouteName> {
  const named = new Named(context.coordinator);
  return {
    ...ofTheCluster(context, named),
    ...ofJobs(context, named),
    ...ofCheckpoints(context, named),
    ...ofVertices(context, named),
    ...ofBundles(context),
  };
}

const values = (readings: readonly Reading[]) =>
  new Map(readings.map(([name, , value]) => [name, value]));

function ofTheCluster(
  { coordinator, platform, config, environment }: HandlerContext,
  named: Named,
) {
  const { clock } = platform;
  return {
    overview: () => cluster.overview(coordinator),
    config: () => cluster.config(clock.now()),
    jobManagerConfig: () => Object.entries(config).map(([key, value]) => ({ key, value })),
    jobManagerEnvironment: () => ({ jvm: environment, classpath: [] }),
    jobManagerMetrics: (call) => metrics(values(ofCluster(coordinator)), call.query),
    taskManagers: () => ({
      taskmanagers: coordinator.taskManagers
        .all()
        .map((entry) => cluster.taskManagerView(entry, clock)),
    }),
    taskManager: (call) => cluster.taskManagerView(named.taskManager(call), clock),
    taskManagerMetrics: (call) => metrics(ofTaskManager(named.taskManager(call)), call.query),
    taskManagersMetrics: (call) => {
      const wanted = list(call.query["taskmanagers"]);
      const all = coordinator.taskManagers.all();
      return aggregated(
        all.filter(({ id }) => wanted?.includes(id) ?? true).map(ofTaskManager),
        call.query,
      );
    },
  } satisfies Partial<Handlers<RouteName>>;
}

function ofJobs({ coordinator, platform }: HandlerContext, named: Named) {
  const now = () => platform.clock.now();
  return {
    jobs: () => ({
      jobs: coordinator.jobs.map((job) => ({
        id: job.submission.jobId,
        status: job.status.state,
      })),
    }),
    jobsOverview: () => ({ jobs: coordinator.jobs.map((job) => jobs.jobSummary(job, now())) }),
    jobsMetrics: (call) => {
      const wanted = list(call.query["jobs"]);
      const shown = coordinator.jobs.filter(
        ({ submission }) => wanted?.includes(submission.jobId) ?? true,
      );
      return aggregated(
        shown.map((job) => values(ofJob(job))),
        call.query,
      );
    },
    job: (call) => jobs.jobDetail({ job: named.job(call), coordinator, now: now() }),
    jobStatus: (call) => ({ status: named.job(call).status.state }),
    jobConfig: (call) => jobs.jobConfig(named.job(call)),
    jobPlan: (call) => ({ plan: jobs.plan(named.job(call)) }),
    jobMetrics: (call) => metrics(values(ofJob(named.job(call))), call.query),
    jobAccumulators: (call) => {
      named.job(call);
      return {
        "job-accumulators": [],
        "user-task-accumulators": [],
        "serialized-user-task-accumulators": {},
      };
    },
    jobResult: (call) => jobs.executionResult(named.job(call)),
    jobExceptions: (call) => {
      const job = named.job(call);
      const max = bounded(call.query["maxExceptions"], 20, 1_000);
      // There are no labels: a filter for one finds nothing.
      return jobs.exceptions(job, max, call.query["failureLabelFilter"] === undefined);
    },
    jobLogs: async (call) => ({
      log: await coordinator.logs(
        named.job(call).submission.jobId,
        bounded(call.query["lines"], 200, 10_000),
      ),
    }),
    cancelJob: (call) => {
      const mode = call.query["mode"] ?? "cancel";
      if (mode !== "cancel")
        throw fail("REST_BAD_REQUEST", { fields: { mode, allowed: ["cancel"] } });
      coordinator.cancel(named.job(call).submission.jobId);
      return {};
    },
  } satisfies Partial<Handlers<RouteName>>;
}

function ofCheckpoints({ platform }: HandlerContext, named: Named) {
  const triggers = new Triggers(platform);
  return {
    checkpoints: (call) => checkpoints.checkpoints(named.job(call)),
    checkpointConfig: (call) => checkpoints.checkpointConfig(named.job(call)),
    checkpointDetails: (call) => {
      const job = named.job(call);
      return checkpoints.checkpointView(job, named.checkpoint(job, call), true);
    },
    checkpointVertex: (call) => {
      const job = named.job(call);
      const record = named.checkpoint(job, call);
      return checkpoints.checkpointVertex(job, record, named.vertex(job, call).id);
    },
    triggerCheckpoint: (call) => {
      const job = named.job(call);
      const { triggerId, checkpointType } = call.body as Trigger;
      const { jobId } = job.submission;
      const take = () => job.requestCheckpoint(checkpointType === "FULL");
      return { "request-id": triggers.start(jobId, triggerId, take) };
    },
    checkpointStatus: (call) => {
      const { jobId } = named.job(call).submission;
      const id = call.params["triggerid"] ?? "";
      const status = triggers.status(jobId, id);
      if (status === undefined) throw unknown("trigger", id, []);
      return status;
    },
  } satisfies Partial<Handlers<RouteName>>;
}

function ofVertices({ coordinator, platform }: HandlerContext, named: Named) {
  const look = (job: JobView) => ({ job, coordinator, now: platform.clock.now() });
  const at = (call: Call) => {
    const job = named.job(call);
    return [look(job), named.vertex(job, call)] as const;
  };
  const subtaskAt = (call: Call) => {
    const job = named.job(call);
    return [look(job), named.subtask(job, call)] as const;
  };
  return {
    vertex: (call) => vertices.vertexDetail(...at(call)),
    vertexTimes: (call) => vertices.subtaskTimes(...at(call)),
    vertexTaskManagers: (call) => vertices.vertexTaskManagers(...at(call)),
    vertexAccumulators: (call) => ({ id: at(call)[1].id, "user-accumulators": [] }),
    vertexWatermarks: (call) => vertices.watermarks(...at(call)),
    vertexBackpressure: (call) => vertices.backpressure(...at(call)),
    vertexMetrics: (call) => {
      const [seen, vertex] = at(call);
      return metrics(bySample(vertices.samplesOf(seen, vertex.id)), call.query);
    },
    subtasksMetrics: (call) => {
      const [seen, vertex] = at(call);
      const samples = vertices.samplesOf(seen, vertex.id);
      const wanted = list(call.query["subtasks"]);
      const all = [...new Set(samples.map(({ subtask }) => subtask))];
      return aggregated(
        all
          .filter((subtask) => wanted?.includes(String(subtask)) ?? true)
          .map((subtask) => bySample(samples, subtask)),
        call.query,
      );
    },
    subtask: (call) => vertices.subtaskView(...subtaskAt(call)),
    subtaskAttempt: (call) => {
      const [seen, task] = subtaskAt(call);
      const text = call.params["attempt"] ?? "";
      if (wholeNumber(text) !== seen.job.attempt)
        throw unknown("attempt", text, [String(seen.job.attempt)]);
      return vertices.subtaskView(seen, task);
    },
    subtaskMetrics: (call) => {
      const [seen, { vertex, subtask }] = subtaskAt(call);
      return metrics(bySample(vertices.samplesOf(seen, vertex, subtask), subtask), call.query);
    },
  } satisfies Partial<Handlers<RouteName>>;
}

function ofBundles({ coordinator, bundles }: HandlerContext) {
  return {
    bundles: async () => ({ bundles: await bundles.list() }),
    uploadBundle: async (call) => {
      if (!(call.body instanceof Uint8Array) || call.body.length === 0)
        throw fail("REST_BAD_REQUEST", { fields: { reason: "the body is not a bundle" } });
      const info = await bundles.add(call.body, call.query["name"] ?? "bundle");
      return { status: "success", filename: info.id, id: info.id };
    },
    runBundle: async (call) => ({ jobid: await runBundle(call, coordinator, bundles) }),
  } satisfies Partial<Handlers<RouteName>>;
}

/** A client that has built the graph sends it along; for one that has not, a TaskManager builds it from the bundle. */
async function runBundle(call: Call, coordinator: Coordinator, bundles: Bundles): Promise<string> {
  const request = call.body as RunBundle;
  const bundle = await bundles.keyOf(call.params["bundleid"] ?? "");
  const build = {
    parameters: request.parameters ?? {},
    ...(request.parallelism === undefined ? {} : { parallelism: request.parallelism }),
  };
  let given = request.graph;
  if (given === undefined) {
    const answer = await coordinator.plan(bundle, build);
    // What the job's own code says of itself: its code, its fields, its fix.
    if (answer.error !== "") throw errorFromInfo(JSON.parse(answer.error) as ErrorInfo);
    given = JSON.parse(answer.graph);
  }
  const graph = decodeJobGraph(given);
  return await coordinator.submit({
    jobName: request.jobName ?? graph.options.name,
    graph,
    bundle,
    build,
    ...(request.jobId === undefined ? {} : { jobId: request.jobId }),
  });
}
