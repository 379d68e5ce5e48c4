/**
 * From what the coordinator knows to what REST answers. Pure reading; names and casing are the contract's
 * (`@millrace/protocol`, rest/schemas).
 */
import type { ErrorInfo } from "@millrace/base";
import {
  type CheckpointRecord,
  type Coordinator,
  isTerminal,
  type JobMaster,
  type TaskManagerEntry,
  type TaskStatus,
} from "@millrace/coordinator";
import { flinkPlan, type JobVertex } from "@millrace/graph";
import type {
  Checkpoints,
  CheckpointView,
  Exceptions,
  IoMetrics,
  JobDetail,
  JobSummary,
  MetricSample,
  Overview,
  PlanView,
  SubtaskView,
  TaskCounts,
  TaskManagerView,
  VertexDetail,
  VertexSummary,
} from "@millrace/protocol";

export const version = "0.1.0";
/** What tools of Flink expect to find; the level of its REST API that the shapes follow. */
export const flinkVersion = "2.3.0";

export function overview(coordinator: Coordinator): Overview {
  const states = coordinator.jobs.map((job) => job.status.state);
  const managers = coordinator.taskManagers.all();
  return {
    taskmanagers: managers.length,
    "slots-total": managers.reduce((sum, entry) => sum + entry.slots, 0),
    "slots-available": coordinator.taskManagers.free().length,
    "jobs-running": states.filter((state) => !isTerminal(state)).length,
    "jobs-finished": states.filter((state) => state === "FINISHED").length,
    "jobs-cancelled": states.filter((state) => state === "CANCELED").length,
    "jobs-failed": states.filter((state) => state === "FAILED").length,
    "flink-version": flinkVersion,
    "millrace-version": version,
    epoch: coordinator.epoch,
  };
}

export function jobSummary(job: JobMaster, now: number): JobSummary {
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

export function jobDetail(job: JobMaster, coordinator: Coordinator, now: number): JobDetail {
  const { start, end } = times(job);
  const { graph } = job.submission;
  const samples = coordinator.metrics.of(job.submission.jobId);
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
    vertices: graph.vertices.map((vertex) => vertexSummary(job, vertex, samples, now)),
    "status-counts": counts(job.execution?.tasks() ?? []),
    plan: plan(job),
    attempt: job.attempt,
    restarts: job.restartCount,
  };
}

export function plan(job: JobMaster): PlanView {
  return {
    jid: job.submission.jobId,
    name: job.submission.jobName,
    type: "STREAMING",
    ...flinkPlan(job.submission.graph),
  };
}

export function vertexDetail(
  job: JobMaster,
  vertex: JobVertex,
  coordinator: Coordinator,
  now: number,
): VertexDetail {
  const samples = coordinator.metrics.of(job.submission.jobId);
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    now,
    subtasks: tasksOf(job, vertex).map((task) => subtaskView(job, task, samples, coordinator, now)),
  };
}

export function subtaskView(
  job: JobMaster,
  task: TaskStatus,
  samples: readonly MetricSample[],
  coordinator: Coordinator,
  now: number,
): SubtaskView {
  const started = task.since.SCHEDULED ?? 0;
  const ended = task.since.FINISHED ?? task.since.FAILED ?? task.since.CANCELED ?? -1;
  return {
    subtask: task.subtask,
    status: task.state,
    attempt: job.attempt,
    host: coordinator.taskManagers.get(task.slot.taskManager)?.host ?? "(lost)",
    "taskmanager-id": task.slot.taskManager,
    slot: task.slot.slot,
    "start-time": started,
    "end-time": ended,
    duration: (ended < 0 ? now : ended) - started,
    "end-of-data": task.endOfData,
    metrics: ioMetrics(
      samples.filter((sample) => sample.vertex === task.vertex && sample.subtask === task.subtask),
    ),
  };
}

export function checkpointView(record: CheckpointRecord): CheckpointView {
  return {
    id: record.id,
    status: record.status,
    is_savepoint: record.kind === "savepoint",
    trigger_timestamp: record.triggeredAt,
    latest_ack_timestamp: record.endedAt ?? -1,
    state_size: record.stateBytes,
    checkpointed_size: record.newBytes,
    end_to_end_duration: record.endedAt === undefined ? -1 : record.endedAt - record.triggeredAt,
    num_subtasks: record.expected,
    num_acknowledged_subtasks: record.acknowledged,
    checkpoint_type: record.kind.toUpperCase(),
    committed: record.committed,
    ...(record.manifest === undefined ? {} : { external_path: record.manifest }),
    ...(record.reason === undefined ? {} : { failure_message: record.reason }),
    alignment_ms: record.alignmentMs,
    sync_ms: record.syncMs,
    async_ms: record.asyncMs,
  };
}

export function checkpoints(job: JobMaster): Checkpoints {
  const { history } = job.checkpointing;
  const completed = history.records.filter((record) => record.status === "COMPLETED");
  const view = (record: CheckpointRecord | undefined) =>
    record === undefined ? null : checkpointView(record);
  return {
    counts: {
      restored: history.counts.restored,
      total: history.counts.total,
      completed: history.counts.completed,
      failed: history.counts.failed,
      in_progress: history.records.filter((record) => record.status === "IN_PROGRESS").length,
    },
    summary: {
      checkpointed_size: summarise(completed.map((record) => record.newBytes)),
      state_size: summarise(completed.map((record) => record.stateBytes)),
      end_to_end_duration: summarise(
        completed.map((record) => (record.endedAt ?? record.triggeredAt) - record.triggeredAt),
      ),
    },
    latest: {
      completed: view(history.latest("COMPLETED")),
      failed: view(history.latest("FAILED")),
      savepoint: null,
      restored:
        history.restored === undefined
          ? null
          : {
              id: history.restored.id,
              restore_timestamp: history.restored.at,
              is_savepoint: false,
            },
    },
    history: history.records.map(checkpointView),
  };
}

export function exceptions(job: JobMaster, max: number): Exceptions {
  const roots = job.exceptions.roots;
  const entry = (e: (typeof roots)[number]) => ({
    exceptionName: e.error.code,
    stacktrace: stackText(e.error),
    timestamp: e.at,
    taskName: e.taskName === undefined ? null : `${e.taskName} (${e.task ?? ""})`,
    endpoint: e.taskManager ?? null,
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

export function taskManagerView(entry: TaskManagerEntry, now: number): TaskManagerView {
  return {
    id: entry.id,
    path: `${entry.host}/${entry.pid}`,
    dataPort: 0,
    timeSinceLastHeartbeat: Math.round(now - entry.lastHeartbeatAt),
    slotsNumber: entry.slots,
    freeSlots: entry.slots - entry.taken.size,
    hardware: { cpuCores: 0, physicalMemory: 0 },
    pid: entry.pid,
    rssBytes: entry.rssBytes,
    metricsAddress: entry.metricsAddress,
  };
}

export function tasksOf(job: JobMaster, vertex: JobVertex): readonly TaskStatus[] {
  return (job.execution?.tasks() ?? []).filter((task) => task.vertex === vertex.id);
}

function vertexSummary(
  job: JobMaster,
  vertex: JobVertex,
  samples: readonly MetricSample[],
  now: number,
): VertexSummary {
  const tasks = tasksOf(job, vertex);
  const start = Math.min(...tasks.map((task) => task.since.SCHEDULED ?? Number.POSITIVE_INFINITY));
  const ends = tasks.map(
    (task) => task.since.FINISHED ?? task.since.FAILED ?? task.since.CANCELED ?? -1,
  );
  const end = ends.length > 0 && ends.every((at) => at >= 0) ? Math.max(...ends) : -1;
  const started = Number.isFinite(start) ? start : -1;
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    status: aggregateState(tasks),
    "start-time": started,
    "end-time": end,
    duration: started < 0 ? -1 : (end < 0 ? now : end) - started,
    tasks: counts(tasks),
    metrics: ioMetrics(samples.filter((sample) => sample.vertex === vertex.id)),
    role: vertex.role,
  };
}

/** The least advanced state speaks for the vertex; a failed subtask speaks first. */
function aggregateState(tasks: readonly TaskStatus[]): string {
  for (const state of [
    "FAILED",
    "CREATED",
    "SCHEDULED",
    "DEPLOYING",
    "INITIALIZING",
    "CANCELING",
    "RUNNING",
    "CANCELED",
    "FINISHED",
  ]) {
    if (tasks.some((task) => task.state === state)) return state;
  }
  return "CREATED";
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

function ioMetrics(samples: readonly MetricSample[]): IoMetrics {
  const sum = (name: string) =>
    samples.reduce(
      (total, sample) =>
        sample.name === name && sample.operator === undefined ? total + sample.value : total,
      0,
    );
  return {
    "read-bytes": sum("numBytesIn"),
    "write-bytes": sum("numBytesOut"),
    "read-records": sum("numRecordsIn"),
    "write-records": sum("numRecordsOut"),
    "accumulated-backpressured-time": sum("accumulateBackPressuredTimeMs"),
    "accumulated-idle-time": sum("accumulateIdleTimeMs"),
    "accumulated-busy-time": sum("accumulateBusyTimeMs"),
  };
}

function times(job: JobMaster): { readonly start: number; readonly end: number } {
  const { timestamps, state } = job.status;
  return { start: timestamps.INITIALIZING, end: isTerminal(state) ? timestamps[state] : -1 };
}

function summarise(values: readonly number[]): { min: number; max: number; avg: number } {
  if (values.length === 0) return { min: 0, max: 0, avg: 0 };
  return {
    min: Math.min(...values),
    max: Math.max(...values),
    avg: Math.round(values.reduce((a, b) => a + b, 0) / values.length),
  };
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
