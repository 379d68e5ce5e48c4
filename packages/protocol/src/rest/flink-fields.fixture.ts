/**
 * Names of the fields that Flink 2 answers per path, taken from its published OpenAPI description (rest_v1_dispatcher.yml) and, where
 * that says less than the server sends, from its message classes. `a.b` is b inside a, `a[]` each of a list.
 *
 * `without` are those that Millrace has no data for: docs/flink-differences.md says why. `beyond` are its own.
 */
import type { RouteName } from "./routes.ts";

export interface FlinkFields {
  readonly flink: string;
  readonly without?: string;
  readonly beyond?: string;
}

const io = (at: string) =>
  ["read-bytes", "write-bytes", "read-records", "write-records"]
    .flatMap((name) => [`${at}.${name}`, `${at}.${name}-complete`])
    .concat(
      ["backpressured", "idle", "busy"].map((name) => `${at}.accumulated-${name}-time`),
      at,
    )
    .join(" ");
const statistics = (at: string) =>
  [at, ...["min", "max", "avg", "p50", "p90", "p95", "p99", "p999"].map((n) => `${at}.${n}`)].join(
    " ",
  );
const of = (at: string, names: string) =>
  [at, ...names.split(" ").map((name) => `${at}.${name}`)].join(" ");

const amounts =
  "latest_ack_timestamp state_size checkpointed_size end_to_end_duration alignment_buffered processed_data persisted_data num_subtasks num_acknowledged_subtasks";
const checkpoint = `className id status is_savepoint savepointFormat checkpoint_type trigger_timestamp ${amounts} tasks external_path discarded failure_timestamp failure_message`;
const own = "is_final committed alignment_ms sync_ms async_ms";
const subtask =
  "subtask status attempt endpoint start-time end-time duration taskmanager-id status-duration other-concurrent-attempts";
const exception =
  "exceptionName stacktrace timestamp failureLabels taskName endpoint taskManagerId";
const aggregate = "[] [].id [].min [].max [].avg [].sum [].skew";
const metric = "[] [].id [].value";
const planNode = of(
  "plan.nodes[]",
  "id parallelism operator operator_strategy description optimizer_properties",
);
const plan = `${of("plan", "jid name type nodes")} ${planNode} plan.nodes[].inputs ${of("plan.nodes[].inputs[]", "num id ship_strategy exchange")}`;
const taskManager =
  "id path dataPort jmxPort timeSinceLastHeartbeat slotsNumber freeSlots totalResource freeResource hardware hardware.cpuCores hardware.physicalMemory hardware.freeMemory hardware.managedMemory memoryConfiguration blocked";
const noTaskManager =
  "jmxPort totalResource freeResource hardware.freeMemory hardware.managedMemory memoryConfiguration blocked";
const under = (at: string, names: string) =>
  names
    .split(" ")
    .map((name) => `${at}.${name}`)
    .join(" ");

export const flinkFields: Partial<Record<RouteName, FlinkFields>> = {
  overview: {
    flink:
      "taskmanagers taskmanagers-blocked slots-total slots-available slots-free-and-blocked jobs-running jobs-finished jobs-cancelled jobs-failed flink-version flink-commit",
    without: "taskmanagers-blocked slots-free-and-blocked",
    beyond: "millrace-version epoch",
  },
  config: {
    flink: `refresh-interval timezone-name timezone-offset flink-version flink-revision ${of("features", "web-submit web-cancel web-rescale web-history")}`,
    beyond: "millrace-version",
  },
  jobManagerConfig: { flink: "[] [].key [].value" },
  jobManagerEnvironment: { flink: `${of("jvm", "version arch options")} classpath` },
  jobManagerMetrics: { flink: metric },
  jobs: { flink: "jobs jobs[] jobs[].id jobs[].status" },
  jobsOverview: {
    flink: `jobs ${of("jobs[]", "jid name state start-time end-time duration last-modification tasks")} ${under("jobs[].tasks", "total created scheduled deploying running finished canceling canceled failed reconciling initializing")}`,
  },
  jobsMetrics: { flink: aggregate, without: "[].skew" },
  job: {
    flink: `jid name isStoppable state start-time end-time duration maxParallelism now job-type timestamps vertices ${of("vertices[]", "id slotSharingGroupId name parallelism maxParallelism status start-time end-time duration tasks")} ${io("vertices[].metrics")} status-counts ${plan}`,
    beyond: `vertices[].role attempt restarts ${of("waits-for-slots", "needed free")}`,
  },
  jobStatus: { flink: "status" },
  jobConfig: {
    flink: `jid name ${of("execution-config", "execution-mode restart-strategy job-parallelism object-reuse-mode user-config")}`,
  },
  jobPlan: { flink: plan },
  jobMetrics: { flink: metric },
  jobAccumulators: {
    flink: "job-accumulators user-task-accumulators serialized-user-task-accumulators",
  },
  jobResult: {
    flink: `status status.id ${of("job-execution-result", "id application-status accumulator-results net-runtime failure-cause")} ${under("job-execution-result.failure-cause", "class stack-trace serialized-throwable")}`,
    without: "job-execution-result.failure-cause.serialized-throwable",
    beyond: "job-execution-result.failure-cause.error",
  },
  jobExceptions: {
    flink: `root-exception timestamp all-exceptions truncated exceptionHistory exceptionHistory.truncated exceptionHistory.entries ${of("exceptionHistory.entries[]", `${exception} concurrentExceptions`)} ${of("exceptionHistory.entries[].concurrentExceptions[]", exception)}`,
    beyond: `${under("exceptionHistory.entries[]", "attempt error")} ${under("exceptionHistory.entries[].concurrentExceptions[]", "attempt error")}`,
  },
  checkpoints: {
    flink: `${of("counts", "restored total in_progress completed failed")} summary ${["checkpointed_size", "state_size", "end_to_end_duration", "alignment_buffered", "processed_data", "persisted_data"].map((name) => statistics(`summary.${name}`)).join(" ")} latest ${of("latest.completed", checkpoint)} ${of("latest.failed", checkpoint)} latest.savepoint ${of("latest.restored", "id restore_timestamp is_savepoint external_path")} history ${of("history[]", checkpoint)}`,
    without:
      "latest.completed.savepointFormat latest.failed.savepointFormat history[].savepointFormat",
    beyond: ["latest.completed", "latest.failed", "history[]"]
      .map((at) => under(at, own))
      .join(" "),
  },
  checkpointDetails: { flink: checkpoint, without: "savepointFormat", beyond: own },
  checkpointVertex: {
    flink: `id status ${amounts} summary ${["state_size", "checkpointed_size", "end_to_end_duration", "start_delay", "checkpoint_duration.sync", "checkpoint_duration.async", "alignment.buffered", "alignment.processed", "alignment.persisted", "alignment.duration"].map((name) => statistics(`summary.${name}`)).join(" ")} summary.checkpoint_duration summary.alignment subtasks ${of("subtasks[]", "className index status ack_timestamp end_to_end_duration state_size checkpointed_size start_delay unaligned_checkpoint aborted")} ${of("subtasks[].checkpoint", "sync async")} ${of("subtasks[].alignment", "buffered processed persisted duration")}`,
    without: `${statistics("summary.start_delay")} subtasks[].start_delay`,
  },
  checkpointConfig: {
    flink: `mode interval timeout min_pause max_concurrent tolerable_failed_checkpoints ${of("externalization", "enabled delete_on_cancellation")} state_backend checkpoint_storage unaligned_checkpoints aligned_checkpoint_timeout checkpoints_after_tasks_finish state_changelog_enabled changelog_storage changelog_periodic_materialization_interval`,
    without: "checkpoint_storage changelog_storage changelog_periodic_materialization_interval",
    beyond: "num_retained",
  },
  triggerCheckpoint: { flink: "request-id" },
  checkpointStatus: {
    flink: "status status.id operation operation.checkpointId operation.failureCause",
    without: "operation.failureCause",
    beyond: "operation.failure-cause",
  },
  vertex: {
    flink: `id name parallelism maxParallelism now aggregated subtasks ${of("subtasks[]", subtask)} ${io("subtasks[].metrics")}`,
    without: "aggregated subtasks[].other-concurrent-attempts",
    beyond: "subtasks[].host subtasks[].slot subtasks[].end-of-data",
  },
  vertexTimes: {
    flink: `id name now subtasks ${of("subtasks[]", "subtask endpoint duration timestamps")}`,
    beyond: "subtasks[].host",
  },
  vertexTaskManagers: {
    flink: `id name now taskmanagers ${of("taskmanagers[]", "endpoint status start-time end-time duration status-counts taskmanager-id aggregated")} ${io("taskmanagers[].metrics")}`,
    without: "taskmanagers[].aggregated",
    beyond: "taskmanagers[].host",
  },
  vertexAccumulators: { flink: "id user-accumulators" },
  vertexWatermarks: { flink: "[] [].id [].value" },
  vertexBackpressure: {
    flink: `status backpressureLevel end-timestamp subtasks ${of("subtasks[]", "subtask attempt-number backpressureLevel ratio idleRatio busyRatio other-concurrent-attempts")}`,
    without: "subtasks[].other-concurrent-attempts",
    beyond: "backpressure-level subtasks[].backpressure-level",
  },
  vertexMetrics: { flink: metric },
  subtasksMetrics: { flink: aggregate, without: "[].skew" },
  subtask: {
    flink: `${subtask} ${io("metrics")}`,
    without: "other-concurrent-attempts",
    beyond: "host slot end-of-data",
  },
  subtaskAttempt: {
    flink: `${subtask} ${io("metrics")}`,
    without: "other-concurrent-attempts",
    beyond: "host slot end-of-data",
  },
  subtaskMetrics: { flink: metric },
  taskManagers: {
    flink: `taskmanagers ${of("taskmanagers[]", taskManager)}`,
    without: under("taskmanagers[]", noTaskManager),
    beyond: under("taskmanagers[]", "pid rssBytes cpuLoad metricsAddress"),
  },
  taskManagersMetrics: { flink: aggregate, without: "[].skew" },
  taskManager: {
    flink: `${taskManager} allocatedSlots metrics`,
    without: `${noTaskManager} allocatedSlots metrics`,
    beyond: "pid rssBytes cpuLoad metricsAddress",
  },
  taskManagerMetrics: { flink: metric },
};
