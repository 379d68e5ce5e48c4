/** The metrics that runners report, as series of this TaskManager's `/metrics`. */
import type { MetricSample } from "@millrace/protocol";
import { type Metrics, taskMetricName } from "@millrace/telemetry";

interface Source {
  readonly taskManager: string;
  readonly job: string;
  readonly jobName: string;
}

export class TaskMetrics {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }
  report(source: Source, samples: readonly MetricSample[]): void {
    for (const sample of samples) {
      if (!Number.isFinite(sample.value)) continue;
      const labels = {
        tm_id: source.taskManager,
        job_id: source.job,
        job_name: source.jobName,
        task_id: sample.vertex,
        subtask_index: String(sample.subtask),
        ...(sample.operator === undefined ? {} : { operator_id: sample.operator }),
      };
      this.#metrics[sample.type](
        taskMetricName(sample.name, sample.type, sample.operator !== undefined),
        labels,
        sample.value,
      );
    }
  }
  /** A runner has ended; runners that are alive report again within a second. */
  forget(_job: string): void {
    this.#metrics.clear();
  }
}
