/**
 * From a metric's name inside Millrace, which is Flink's, to its Prometheus name: `flink_<scope>_<name>`, by four rules that leave
 * nothing for `promtool check metrics` to find. Flink's own reporter breaks all four.
 *
 * NAM-1  Snake case: `numRecordsIn` → `num_records_in`.
 * NAM-2  Counters are counters and end in `_total`; a gauge drops the word: `taskSlotsTotal` → `task_slots`.
 * NAM-3  `Ms` becomes `seconds` and the value is divided by 1000: `busyTimeMsPerSecond` → `busy_time_seconds_per_second`. Names without a
 *        unit keep Flink's value: `lastCheckpointDuration` and watermarks are in ms.
 * NAM-4  One help text per name.
 */
import { seriesOf } from "@millrace/spi";

export type MetricType = "counter" | "gauge";
export type MetricScope =
  | "jobmanager"
  | "jobmanager_job"
  | "taskmanager_job"
  | "taskmanager_job_task"
  | "taskmanager_job_task_operator";
export interface MetricName {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** What a reading is multiplied with: 0.001 for what counts ms inside. */
  readonly scale: number;
}

/** What each metric of the engine says; docs/metrics.md lists the same. */
export const helps: Readonly<Record<string, string>> = {
  numRegisteredTaskManagers: "TaskManagers that are registered",
  taskSlotsTotal: "Slots of all TaskManagers",
  taskSlotsAvailable: "Slots that no job uses",
  numRunningJobs: "Jobs that have not ended",
  numRestarts: "Restarts of the job",
  runningState: "1 while the job is RUNNING, else 0",
  totalNumberOfCheckpoints: "Checkpoints triggered since the JobManager started",
  numberOfCompletedCheckpoints: "Checkpoints completed since the JobManager started",
  numberOfFailedCheckpoints: "Checkpoints failed since the JobManager started",
  numberOfInProgressCheckpoints: "Checkpoints in progress",
  lastCheckpointDuration: "From trigger to log entry of the newest checkpoint, ms; -1 without one",
  lastCheckpointSize: "Bytes that the newest checkpoint added; -1 without one",
  lastCheckpointFullSize: "Bytes that the newest checkpoint references; -1 without one",
  lastCompletedCheckpointId: "Number of the newest checkpoint; -1 without one",
  runnerResidentMemoryBytes: "Resident memory of the task runner of the job on this TaskManager",
  numRecordsIn: "Records received",
  numRecordsOut: "Records emitted",
  numBytesIn: "Bytes received from other subtasks",
  numBytesOut: "Bytes sent to other subtasks",
  numBuffersOut: "Batches sent to other subtasks",
  numLateRecordsDropped: "Records dropped because they came after their window had been cleaned up",
  numRecordsInErrors: "Records that could not be read or processed and were skipped",
  accumulateBusyTimeMs: "Time spent working",
  accumulateIdleTimeMs: "Time spent waiting for input",
  accumulateBackPressuredTimeMs: "Time spent waiting for room downstream",
  busyTimeMsPerSecond: "Share of the last second spent working",
  idleTimeMsPerSecond: "Share of the last second spent waiting for input",
  backPressuredTimeMsPerSecond: "Share of the last second spent waiting for room downstream",
  currentInputWatermark: "Event time that the input has reached, ms since the epoch",
  currentOutputWatermark: "Event time that the output has reached, ms since the epoch",
  inputQueueBytes: "Bytes waiting at the input",
  outputQueueBytes: "Bytes waiting for credit at the output",
};

const known = new Map<string, MetricName>();

/** The same object for the same arguments: a report of a thousand readings makes no strings. */
export function metricName(scope: MetricScope, name: string, type: MetricType): MetricName {
  const key = `${scope} ${type} ${name}`;
  let made = known.get(key);
  if (made === undefined) {
    made = make(scope, name, type);
    known.set(key, made);
  }
  return made;
}

function make(scope: MetricScope, name: string, type: MetricType): MetricName {
  const series = seriesOf(name, type);
  return {
    name: `flink_${scope}_${series.name}`,
    type,
    help: helps[name] ?? `Metric ${name} of the job`,
    scale: series.inMs ? 0.001 : 1,
  };
}
