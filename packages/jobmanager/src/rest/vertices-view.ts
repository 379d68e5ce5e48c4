/** Vertices and subtasks as REST answers them. Pure reading. */
import type { Coordinator, JobView, TaskStatus } from "@millrace/coordinator";
import type { JobVertex } from "@millrace/graph";
import type { MetricSample } from "@millrace/protocol";
import {
  type Backpressure,
  type ExecutionState,
  executionStates,
  type IoMetrics,
  type SubtaskTimes,
  type SubtaskView,
  type VertexDetail,
  type VertexSummary,
  type VertexTaskManagers,
  type Watermarks,
} from "@millrace/protocol/rest";

/** What the views of one job are made from, at one moment. */
export interface Look {
  readonly job: JobView;
  readonly coordinator: Coordinator;
  readonly now: number;
}

/** Where a watermark begins, and where it ends: Flink's tools look for these very numbers. */
const leastLong = "-9223372036854775808";
const greatestLong = "9223372036854775807";

export function vertexSummary(look: Look, vertex: JobVertex): VertexSummary {
  const tasks = tasksOf(look.job, vertex);
  return {
    id: vertex.id,
    slotSharingGroupId: vertex.slotSharingGroup,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    ...together(look, vertex, tasks),
    tasks: stateCounts(tasks),
    role: vertex.role,
  };
}

export function vertexDetail(look: Look, vertex: JobVertex): VertexDetail {
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    now: look.now,
    subtasks: tasksOf(look.job, vertex).map((task) => subtaskView(look, task)),
  };
}

export function subtaskView(look: Look, task: TaskStatus): SubtaskView {
  return {
    subtask: task.subtask,
    status: task.state,
    attempt: look.job.attempt,
    ...placeOf(look, task),
    "taskmanager-id": task.slot.taskManager,
    slot: task.slot.slot,
    ...timesOf(look, task),
    "end-of-data": task.endOfData,
    metrics: ioMetrics(samplesOf(look, task.vertex, task.subtask), 1),
    "status-duration": durations(task, look.now),
  };
}

export function subtaskTimes(look: Look, { id, name }: JobVertex): SubtaskTimes {
  const subtasks = tasksOf(look.job, { id }).map((task) => ({
    subtask: task.subtask,
    ...placeOf(look, task),
    duration: timesOf(look, task).duration,
    timestamps: Object.fromEntries(executionStates.map((state) => [state, sinceOf(task, state)])),
  }));
  return { id, name, now: look.now, subtasks };
}

export function vertexTaskManagers(look: Look, vertex: JobVertex): VertexTaskManagers {
  const groups = Map.groupBy(tasksOf(look.job, vertex), (task) => task.slot.taskManager);
  return {
    id: vertex.id,
    name: vertex.name,
    now: look.now,
    taskmanagers: [...groups].map(([id, tasks]) => ({
      ...placeOf(look, tasks[0] as TaskStatus),
      ...together(look, vertex, tasks),
      "status-counts": stateCounts(tasks),
      "taskmanager-id": id,
    })),
  };
}

export function watermarks(look: Look, vertex: JobVertex): Watermarks {
  const samples = samplesOf(look, vertex.id);
  return tasksOf(look.job, vertex).map(({ subtask }) => {
    const value = samples.find(
      (sample) =>
        sample.subtask === subtask &&
        sample.name === "currentInputWatermark" &&
        sample.operator === undefined,
    )?.value;
    return { id: `${subtask}.currentInputWatermark`, value: watermarkText(value) };
  });
}

/** A watermark as Flink writes it. */
export function watermarkText(value: number | undefined): string {
  if (value === undefined || value <= Number.MIN_SAFE_INTEGER) return leastLong;
  return value >= Number.MAX_SAFE_INTEGER ? greatestLong : String(value);
}

export function backpressure(look: Look, vertex: JobVertex): Backpressure {
  const samples = samplesOf(look, vertex.id);
  const share = (subtask: number, name: string) =>
    (samples.find((s) => s.subtask === subtask && s.name === name && s.operator === undefined)
      ?.value ?? 0) / 1_000;
  const subtasks = tasksOf(look.job, vertex).map(({ subtask }) => {
    const ratio = share(subtask, "backPressuredTimeMsPerSecond");
    return {
      subtask,
      "attempt-number": look.job.attempt,
      ...levels(ratio),
      ratio,
      idleRatio: share(subtask, "idleTimeMsPerSecond"),
      busyRatio: share(subtask, "busyTimeMsPerSecond"),
    };
  });
  const worst = levels(Math.max(0, ...subtasks.map(({ ratio }) => ratio)));
  return { status: "ok", ...worst, "end-timestamp": look.now, subtasks };
}

export function tasksOf(job: JobView, vertex: Pick<JobVertex, "id">): readonly TaskStatus[] {
  return (job.execution?.tasks() ?? []).filter((task) => task.vertex === vertex.id);
}

/** Subtasks per state, every state named. */
export function stateCounts(tasks: readonly TaskStatus[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    executionStates.map((state) => [state, tasks.filter((task) => task.state === state).length]),
  );
}

export function samplesOf(look: Look, vertex: string, subtask?: number): readonly MetricSample[] {
  return look.coordinator.metrics
    .of(look.job.submission.jobId)
    .filter(
      (sample) => sample.vertex === vertex && (subtask === undefined || sample.subtask === subtask),
    );
}

/** State, times and metrics of several subtasks of one vertex as one. */
function together(look: Look, vertex: JobVertex, tasks: readonly TaskStatus[]) {
  const starts = tasks.map((task) => sinceOf(task, "SCHEDULED")).filter((at) => at >= 0);
  const start = starts.length === 0 ? -1 : Math.min(...starts);
  const ends = tasks.map(endOf);
  const end = ends.length > 0 && ends.every((at) => at >= 0) ? Math.max(...ends) : -1;
  const mine = new Set(tasks.map((task) => task.subtask));
  const samples = samplesOf(look, vertex.id).filter((sample) => mine.has(sample.subtask));
  return {
    status: stateOf(tasks),
    "start-time": start,
    "end-time": end,
    duration: start < 0 ? -1 : (end < 0 ? look.now : end) - start,
    metrics: ioMetrics(samples, tasks.length),
  };
}

/** The least advanced state speaks for the vertex; a failed subtask speaks first. */
function stateOf(tasks: readonly TaskStatus[]): ExecutionState {
  const order = [
    "FAILED",
    "CREATED",
    "SCHEDULED",
    "DEPLOYING",
    "INITIALIZING",
    "CANCELING",
    "RUNNING",
    "CANCELED",
    "FINISHED",
  ] as const;
  return order.find((state) => tasks.some((task) => task.state === state)) ?? "CREATED";
}

function placeOf(look: Look, task: TaskStatus) {
  const at = look.job.execution?.endpointOf(task.slot);
  const host = at?.host ?? look.coordinator.taskManagers.get(task.slot.taskManager)?.host;
  // As Flink says it of a task that has no place yet, or no longer.
  if (host === undefined) return { endpoint: "(unassigned)", host: "(unassigned)" };
  return { endpoint: `${host}:${at?.port ?? -1}`, host };
}

function timesOf(look: Look, task: TaskStatus) {
  const start = sinceOf(task, "SCHEDULED");
  const end = endOf(task);
  return {
    "start-time": start,
    "end-time": end,
    duration: start < 0 ? -1 : (end < 0 ? look.now : end) - start,
  };
}
function sinceOf(task: TaskStatus, state: string): number {
  return (task.since as Readonly<Record<string, number | undefined>>)[state] ?? -1;
}
function endOf(task: TaskStatus): number {
  return task.since.FINISHED ?? task.since.FAILED ?? task.since.CANCELED ?? -1;
}

/** How long the subtask was in each state on its way; -1 where it never was. */
function durations(task: TaskStatus, now: number): Readonly<Record<string, number>> {
  const way = ["CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING", "CANCELING"];
  const end = endOf(task);
  return Object.fromEntries(
    way.map((state, i) => {
      const began = sinceOf(task, state);
      const next = way.slice(i + 1).map((later) => sinceOf(task, later));
      const until = next.find((at) => at >= began && at >= 0) ?? (end < 0 ? now : end);
      return [state, began < 0 ? -1 : Math.max(0, until - began)];
    }),
  );
}

/** Sums over subtasks; `complete` when each of them has reported. */
function ioMetrics(samples: readonly MetricSample[], subtasks: number): IoMetrics {
  const own = (name: string) =>
    samples.filter((sample) => sample.name === name && sample.operator === undefined);
  const sum = (name: string) =>
    Math.round(own(name).reduce((total, { value }) => total + value, 0));
  const complete = (name: string) => subtasks > 0 && own(name).length >= subtasks;
  return {
    "read-bytes": sum("numBytesIn"),
    "read-bytes-complete": complete("numBytesIn"),
    "write-bytes": sum("numBytesOut"),
    "write-bytes-complete": complete("numBytesOut"),
    "read-records": sum("numRecordsIn"),
    "read-records-complete": complete("numRecordsIn"),
    "write-records": sum("numRecordsOut"),
    "write-records-complete": complete("numRecordsOut"),
    "accumulated-backpressured-time": sum("accumulateBackPressuredTimeMs"),
    "accumulated-idle-time": sum("accumulateIdleTimeMs"),
    "accumulated-busy-time": sum("accumulateBusyTimeMs"),
  };
}

function levels(ratio: number) {
  const level = ratio > 0.5 ? "high" : ratio > 0.1 ? "low" : "ok";
  return { backpressureLevel: level, "backpressure-level": level } as const;
}
