/**
 * The metrics that runners report, as series of this TaskManager's `/metrics`, with Flink's labels.
 *
 * TMM-1  The series of an attempt are there from its first report until its runner has ended; a report that comes later is dropped.
 */
import type { TaskDeployment } from "@millrace/graph";
import type { AttemptMessage, MetricSample } from "@millrace/protocol";
import { type Labels, Metrics, metricName } from "@millrace/telemetry";

interface Attempt {
  readonly labels: Labels;
  /** Of a vertex by its id, of an operator by its uid. */
  readonly taskNames: Map<string, string>;
  readonly operatorNames: Map<string, string>;
}

export class TaskMetrics {
  readonly #metrics = new Metrics();
  readonly #host: string;
  readonly #taskManager: string;
  readonly #attempts = new Map<string, Attempt>();

  constructor(options: { readonly host: string; readonly taskManager: string }) {
    this.#host = options.host;
    this.#taskManager = options.taskManager;
  }
  started(attempt: AttemptMessage, jobName: string): void {
    this.#attempts.set(keyOf(attempt), {
      labels: {
        host: this.#host,
        tm_id: this.#taskManager,
        job_id: attempt.jobId,
        job_name: jobName,
        task_attempt_id: `${attempt.epoch}.${attempt.attempt}`,
        task_attempt_num: String(attempt.attempt),
      },
      taskNames: new Map(),
      operatorNames: new Map(),
    });
  }
  /** What is going to report is known by its names from now on. */
  deployed(attempt: AttemptMessage, tasks: readonly TaskDeployment[]): void {
    const known = this.#attempts.get(keyOf(attempt));
    for (const { vertex } of tasks) {
      known?.taskNames.set(vertex.id, vertex.name);
      for (const { uid, name } of vertex.operators) known?.operatorNames.set(uid, name);
    }
  }
  report(attempt: AttemptMessage, samples: readonly MetricSample[]): void {
    const known = this.#attempts.get(keyOf(attempt));
    if (known === undefined) return;
    for (const { name, type, value, vertex, subtask, operator } of samples) {
      if (!Number.isFinite(value)) continue;
      const task = {
        ...known.labels,
        task_id: vertex,
        task_name: known.taskNames.get(vertex) ?? vertex,
        subtask_index: String(subtask),
      };
      if (operator === undefined)
        this.#metrics.set(metricName("taskmanager_job_task", name, type), task, value);
      else
        this.#metrics.set(
          metricName("taskmanager_job_task_operator", name, type),
          {
            ...task,
            operator_id: operator,
            operator_name: known.operatorNames.get(operator) ?? operator,
          },
          value,
        );
    }
  }
  /** Resident memory of the attempt's runner. */
  memory(attempt: AttemptMessage, rssBytes: number): void {
    const known = this.#attempts.get(keyOf(attempt));
    if (known !== undefined)
      this.#metrics.set(
        metricName("taskmanager_job", "runnerResidentMemoryBytes", "gauge"),
        known.labels,
        rssBytes,
      );
  }
  ended(attempt: AttemptMessage): void {
    const known = this.#attempts.get(keyOf(attempt));
    if (known === undefined) return;
    this.#attempts.delete(keyOf(attempt));
    const { job_id = "", task_attempt_id = "" } = known.labels;
    this.#metrics.remove({ job_id, task_attempt_id });
  }
  text(): Promise<{ readonly contentType: string; readonly text: string }> {
    return this.#metrics.text();
  }
}

function keyOf({ jobId, epoch, attempt }: AttemptMessage): string {
  return `${jobId} ${epoch}.${attempt}`;
}
