/** Options of the JobManager's brain. */
import { defineOptions } from "@millrace/base";

export const coordinatorOptions = defineOptions({
  heartbeatIntervalMs: {
    key: "heartbeat.interval",
    type: "duration",
    default: 500,
    min: 10,
    max: 60_000,
    help: "How often a TaskManager reports. Shorter finds silent ones sooner and costs messages.",
  },
  heartbeatTimeoutMs: {
    key: "heartbeat.timeout",
    type: "duration",
    default: 3_000,
    min: 50,
    max: 600_000,
    help: "Silence after which a TaskManager is taken for lost. Shorter recovers sooner and mistakes pauses for deaths.",
  },
  runnerStartTimeoutMs: {
    key: "jobmanager.runner-start-timeout",
    type: "duration",
    default: 60_000,
    min: 100,
    max: 600_000,
    help: "How long an attempt waits for its runners to start and restore their state.",
  },
  stopGraceMs: {
    key: "jobmanager.stop-grace",
    type: "duration",
    default: 3_000,
    min: 0,
    max: 600_000,
    help: "How long tasks may take to close before their runner is killed.",
  },
  epochCheckIntervalMs: {
    key: "jobmanager.epoch-check-interval",
    type: "duration",
    default: 2_000,
    min: 10,
    max: 600_000,
    help: "How often a leader looks whether it still leads. Shorter ends an idle one sooner and costs a read of the store.",
  },
  logEntriesPerClaim: {
    key: "jobmanager.log-entries-per-claim",
    type: "int",
    default: 1_000,
    min: 10,
    max: 1_000,
    help: "Entries after which a job's log is begun anew. Fewer make a take-over read less and cost the store two objects each time.",
  },
  endedJobsMax: {
    key: "jobstore.max-capacity",
    type: "int",
    default: 200,
    min: 1,
    max: 100_000,
    help: "How many jobs that have ended are shown. More cost the JobManager memory: graph and history of each.",
  },
  endedJobsKeepMs: {
    key: "jobstore.expiration-time",
    type: "duration",
    default: 3_600_000,
    min: 1_000,
    max: 2_592_000_000,
    help: "How long a job that has ended is shown, and its bundle kept.",
  },
  metricsKeepMs: {
    key: "jobmanager.metrics-keep",
    type: "duration",
    default: 60_000,
    min: 1_000,
    max: 3_600_000,
    help: "How long the last reading of an ended subtask's metrics is shown.",
  },
});
export type CoordinatorOptions = typeof coordinatorOptions.defaults;
