/** Prometheus metrics of a JobManager: the cluster and each job. Read from the coordinator when scraped. */
import { type Coordinator, isTerminal, type JobView } from "@millrace/coordinator";
import { type MetricScope, Metrics, type MetricType, metricName } from "@millrace/telemetry";

export type Reading = readonly [name: string, type: MetricType, value: number];

export function createJobManagerMetrics(
  coordinator: Coordinator,
  host: string,
): {
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
} {
  const metrics = new Metrics();
  const set = (
    scope: MetricScope,
    labels: Readonly<Record<string, string>>,
    readings: readonly Reading[],
  ) => {
    for (const [name, type, value] of readings)
      metrics.set(metricName(scope, name, type), labels, value);
  };
  return {
    text() {
      // Jobs that the coordinator has forgotten are gone; what is left is set again, to the same totals.
      metrics.remove({});
      set("jobmanager", { host }, ofCluster(coordinator));
      for (const job of coordinator.jobs) {
        const { jobId, jobName } = job.submission;
        set("jobmanager_job", { host, job_id: jobId, job_name: jobName }, ofJob(job));
      }
      return metrics.text();
    },
  };
}

export function ofCluster(coordinator: Coordinator): readonly Reading[] {
  const managers = coordinator.taskManagers.all();
  return [
    ["numRegisteredTaskManagers", "gauge", managers.length],
    ["taskSlotsTotal", "gauge", managers.reduce((sum, entry) => sum + entry.slots, 0)],
    ["taskSlotsAvailable", "gauge", coordinator.taskManagers.free().length],
    [
      "numRunningJobs",
      "gauge",
      coordinator.jobs.filter((job) => !isTerminal(job.status.state)).length,
    ],
  ];
}

export function ofJob(job: JobView): readonly Reading[] {
  const { history } = job.checkpointing;
  const { counts } = history;
  const newest = history.latest("COMPLETED");
  const inProgress = history.records.filter((record) => record.status === "IN_PROGRESS").length;
  return [
    ["numRestarts", "counter", job.restartCount],
    ["runningState", "gauge", job.status.state === "RUNNING" ? 1 : 0],
    ["totalNumberOfCheckpoints", "counter", counts.total],
    ["numberOfCompletedCheckpoints", "counter", counts.completed],
    ["numberOfFailedCheckpoints", "counter", counts.failed],
    ["numberOfInProgressCheckpoints", "gauge", inProgress],
    [
      "lastCheckpointDuration",
      "gauge",
      newest?.endedAt === undefined ? -1 : newest.endedAt - newest.triggeredAt,
    ],
    ["lastCheckpointSize", "gauge", newest?.newBytes ?? -1],
    ["lastCheckpointFullSize", "gauge", newest?.stateBytes ?? -1],
    ["lastCompletedCheckpointId", "gauge", newest?.id ?? -1],
  ];
}
