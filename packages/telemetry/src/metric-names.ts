/**
 * From a metric's name inside Millrace, which is Flink's, to its Prometheus name: `flink_<scope>_<name>`. Flink exports
 * counters as gauges; here a counter is a counter and ends in `_total`, so that `rate()` and `promtool check metrics` are right.
 *
 * NAM-1  Snake case, one help text per name, counters end in `_total`: what promtool asks for.
 */
export type MetricType = "counter" | "gauge";
export interface MetricName {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
}

const helps: Readonly<Record<string, string>> = {
  numRecordsIn: "Records received",
  numRecordsOut: "Records emitted",
  numBytesIn: "Bytes received from other subtasks",
  numBytesOut: "Bytes sent to other subtasks",
  numBuffersOut: "Batches sent to other subtasks",
  numLateRecordsDropped: "Records dropped because they came after their window had been cleaned up",
  numRecordsInErrors: "Records that could not be read or processed and were skipped",
  numFiredTimers: "Timers fired",
  numSplitsProcessed: "Splits read to their end",
  accumulateBusyTimeMs: "Time spent working, ms",
  accumulateIdleTimeMs: "Time spent waiting for input, ms",
  accumulateBackPressuredTimeMs: "Time spent waiting for room downstream, ms",
  busyTimeMsPerSecond: "Share of the last second spent working, ms",
  idleTimeMsPerSecond: "Share of the last second spent waiting for input, ms",
  backPressuredTimeMsPerSecond: "Share of the last second spent waiting for room downstream, ms",
  currentInputWatermark: "Event time that the input has reached, ms since the epoch",
  currentOutputWatermark: "Event time that the output has reached, ms since the epoch",
  inputQueueBytes: "Bytes waiting at the input",
  outputQueueBytes: "Bytes waiting for credit at the output",
};

/** `flink_taskmanager_job_task_<name>`, or `…_task_operator_<name>` for a metric of one operator. */
export function taskMetricName(name: string, type: MetricType, ofOperator: boolean): MetricName {
  const snake = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
  const suffix = type === "counter" && !snake.endsWith("_total") ? "_total" : "";
  return {
    name: `flink_taskmanager_job_task_${ofOperator ? "operator_" : ""}${snake}${suffix}`,
    type,
    help: helps[name] ?? `Metric ${name} of the job`,
  };
}
