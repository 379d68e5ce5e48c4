/** Prometheus metrics of a JobManager: the cluster and each job. Read from the coordinator when scraped. */
import type { Coordinator } from "@millrace/coordinator";
import { isTerminal } from "@millrace/coordinator";
import { Metrics, type MetricType } from "@millrace/telemetry";

export function createJobManagerMetrics(coordinator: Coordinator): {
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
} {
  const metrics = new Metrics();
  const set = (
    scope: string,
    name: string,
    type: MetricType,
    help: string,
    labels: Readonly<Record<string, string>>,
    value: number,
  ) => metrics[type]({ name: `flink_jobmanager_${scope}${name}`, type, help }, labels, value);
  return {
    text() {
      const host = { host: "jobmanager" };
      const managers = coordinator.taskManagers.all();
      set(
        "",
        "num_registered_task_managers",
        "gauge",
        "TaskManagers that are registered",
        host,
        managers.length,
      );
      set(
        "",
        "task_slots_total",
        "gauge",
        "Slots of all TaskManagers",
        host,
        managers.reduce((sum, entry) => sum + entry.slots, 0),
      );
      set(
        "",
        "task_slots_available",
        "gauge",
        "Slots that no job uses",
        host,
        coordinator.taskManagers.free().length,
      );
      set(
        "",
        "num_running_jobs",
        "gauge",
        "Jobs that have not ended",
        host,
        coordinator.jobs.filter((job) => !isTerminal(job.status.state)).length,
      );
      for (const job of coordinator.jobs) {
        const labels = { job_id: job.submission.jobId, job_name: job.submission.jobName };
        const { counts } = job.checkpointing.history;
        const completed = job.checkpointing.history.latest("COMPLETED");
        set(
          "job_",
          "num_restarts_total",
          "counter",
          "Restarts of the job",
          labels,
          job.restartCount,
        );
        set(
          "job_",
          "running_state",
          "gauge",
          "1 while the job is RUNNING",
          labels,
          job.status.state === "RUNNING" ? 1 : 0,
        );
        set(
          "job_",
          "number_of_completed_checkpoints_total",
          "counter",
          "Checkpoints completed",
          labels,
          counts.completed,
        );
        set(
          "job_",
          "number_of_failed_checkpoints_total",
          "counter",
          "Checkpoints that failed",
          labels,
          counts.failed,
        );
        set(
          "job_",
          "number_of_in_progress_checkpoints",
          "gauge",
          "Checkpoints in progress",
          labels,
          job.checkpointing.history.records.filter((record) => record.status === "IN_PROGRESS")
            .length,
        );
        set(
          "job_",
          "last_checkpoint_duration_ms",
          "gauge",
          "Time from trigger to log entry of the newest checkpoint, ms",
          labels,
          completed?.endedAt === undefined ? -1 : completed.endedAt - completed.triggeredAt,
        );
        set(
          "job_",
          "last_checkpoint_size_bytes",
          "gauge",
          "Bytes that the newest checkpoint added",
          labels,
          completed?.newBytes ?? -1,
        );
        set(
          "job_",
          "last_checkpoint_full_size_bytes",
          "gauge",
          "Bytes that the newest checkpoint references",
          labels,
          completed?.stateBytes ?? -1,
        );
        set(
          "job_",
          "last_completed_checkpoint_id",
          "gauge",
          "Number of the newest checkpoint",
          labels,
          completed?.id ?? -1,
        );
      }
      return metrics.text();
    },
  };
}
