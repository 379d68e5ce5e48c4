/** Jobs as REST answers them. Pure reading; names and casing are the contract's (`@millrace/protocol`, rest/). */
import type { ErrorInfo } from "@millrace/base";
import {
  type ExceptionEntry,
  isTerminal,
  type JobView,
  type TaskStatus,
} from "@millrace/coordinator";
import { flinkPlan } from "@millrace/graph";
import type {
  Exceptions,
  ExecutionResult,
  JobConfigView,
  JobDetail,
  JobSummary,
  PlanView,
  TaskCounts,
} from "@millrace/protocol/rest";
import { type Look, stateCounts, vertexSummary } from "./vertices-view.ts";

export function jobSummary(job: JobView, now: number): JobSummary {
  const { start, end } = times(job);
  return {
    jid: job.submission.jobId,
    name: job.submission.jobName,
    state: job.status.state,
    "start-time": start,
    "end-time": end,
    duration: (end < 0 ? now : end) - start,
    "last-modification": Math.max(...Object.values(job.status.timestamps)),
    tasks: counts(job.execution?.tasks() ?? []),
  };
}

export function jobDetail(look: Look): JobDetail {
  const { job, now } = look;
  const { start, end } = times(job);
  const { graph } = job.submission;
  return {
    jid: job.submission.jobId,
    name: job.submission.jobName,
    isStoppable: false,
    state: job.status.state,
    "start-time": start,
    "end-time": end,
    duration: (end < 0 ? now : end) - start,
    maxParallelism: Math.max(-1, ...graph.vertices.map((vertex) => vertex.maxParallelism)),
    now,
    "job-type": "STREAMING",
    timestamps: job.status.timestamps,
    vertices: graph.vertices.map((vertex) => vertexSummary(look, vertex)),
    "status-counts": stateCounts(job.execution?.tasks() ?? []),
    plan: plan(job),
    attempt: job.attempt,
    restarts: job.restartCount,
    ...(job.waitsForSlots === undefined ? {} : { "waits-for-slots": job.waitsForSlots }),
  };
}

export function plan(job: JobView): PlanView {
  return {
    jid: job.submission.jobId,
    name: job.submission.jobName,
    type: "STREAMING",
    nodes: flinkPlan(job.submission.graph).nodes.map((node) => ({
      ...node,
      optimizer_properties: {},
    })),
  };
}

export function jobConfig(job: JobView): JobConfigView {
  const { options } = job.submission.graph;
  const parameters = job.submission.build.parameters;
  return {
    jid: job.submission.jobId,
    name: job.submission.jobName,
    "execution-config": {
      "execution-mode": "PIPELINED",
      "restart-strategy": restartText(job),
      "job-parallelism": options.parallelism,
      "object-reuse-mode": false,
      "user-config": Object.fromEntries(
        Object.entries(parameters).map(([name, value]) => [
          name,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      ),
    },
  };
}

function restartText(job: JobView): string {
  const { strategy, attempts, delayMs, maxDelayMs } = job.submission.graph.options.restart;
  switch (strategy) {
    case "none":
      return "none";
    case "fixed-delay":
      return `fixed-delay: ${attempts} attempts, ${delayMs} ms apart`;
    case "failure-rate":
      return `failure-rate: ${attempts} failures, ${delayMs} ms apart`;
    default:
      return `${strategy}: ${delayMs} to ${maxDelayMs} ms apart`;
  }
}

const applicationStates: Readonly<Record<string, string>> = {
  FINISHED: "SUCCEEDED",
  CANCELED: "CANCELED",
  FAILED: "FAILED",
};

export function executionResult(job: JobView): ExecutionResult {
  const { state } = job.status;
  if (!isTerminal(state)) return { status: { id: "IN_PROGRESS" } };
  const { start, end } = times(job);
  const cause = state === "FAILED" ? job.exceptions.roots[0]?.error : undefined;
  return {
    status: { id: "COMPLETED" },
    "job-execution-result": {
      id: job.submission.jobId,
      "application-status": applicationStates[state] ?? "UNKNOWN",
      "accumulator-results": {},
      "net-runtime": end - start,
      ...(cause === undefined
        ? {}
        : {
            "failure-cause": {
              class: cause.code,
              "stack-trace": stackText(cause),
              error: { ...cause },
            },
          }),
    },
  };
}

export function exceptions(job: JobView, max: number, isAsked = true): Exceptions {
  const roots = isAsked ? job.exceptions.roots : [];
  const entry = (e: ExceptionEntry) => ({
    exceptionName: e.error.code,
    stacktrace: stackText(e.error),
    timestamp: e.at,
    taskName: e.taskName === undefined ? null : `${e.taskName} (${e.task ?? ""})`,
    failureLabels: {},
    endpoint: e.endpoint ?? null,
    taskManagerId: e.taskManager ?? null,
    attempt: e.attempt,
    error: { ...e.error },
  });
  const newest = roots[0];
  return {
    "root-exception": newest === undefined ? null : stackText(newest.error),
    timestamp: newest?.at ?? null,
    "all-exceptions": [],
    truncated: false,
    exceptionHistory: {
      entries: roots
        .slice(0, max)
        .map((root) => ({ ...entry(root), concurrentExceptions: root.concurrent.map(entry) })),
      truncated: roots.length > max,
    },
  };
}

function counts(tasks: readonly TaskStatus[]): TaskCounts {
  const of = (state: string) => tasks.filter((task) => task.state === state).length;
  return {
    total: tasks.length,
    created: of("CREATED"),
    scheduled: of("SCHEDULED"),
    deploying: of("DEPLOYING"),
    running: of("RUNNING"),
    finished: of("FINISHED"),
    canceling: of("CANCELING"),
    canceled: of("CANCELED"),
    failed: of("FAILED"),
    reconciling: 0,
    initializing: of("INITIALIZING"),
  };
}

function times(job: JobView): { readonly start: number; readonly end: number } {
  const { timestamps, state } = job.status;
  return { start: timestamps.INITIALIZING, end: isTerminal(state) ? timestamps[state] : -1 };
}

/** An error as an engineer reads it: code, place, cause chain with the user's frames. */
function stackText(error: ErrorInfo): string {
  const fields = Object.entries(error.fields)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
  const own = `${error.code}: ${error.message}${fields === "" ? "" : ` (${fields})`}`;
  return error.cause === undefined
    ? (error.stack ?? own)
    : `${own}\nCaused by: ${stackText(error.cause)}`;
}
