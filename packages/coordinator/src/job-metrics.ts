/** The last metrics of every subtask, for REST. Bounded by the jobs that are shown: an attempt's readings go when a newer attempt reports, a job's with the job. */
import type { Clock } from "@millrace/base";
import type { AttemptMessage, MetricSample } from "@millrace/protocol";

interface JobReadings {
  epoch: number;
  attempt: number;
  at: number;
  readonly samples: Map<string, MetricSample>;
}

export class JobMetrics {
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #jobs = new Map<string, JobReadings>();

  constructor(clock: Clock, keepMs: number) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }
  report(ref: AttemptMessage, samples: readonly MetricSample[]): void {
    const known = this.#jobs.get(ref.jobId);
    const newer =
      known === undefined ||
      ref.epoch > known.epoch ||
      (ref.epoch === known.epoch && ref.attempt > known.attempt);
    if (!newer && (ref.epoch !== known.epoch || ref.attempt !== known.attempt)) return;
    const readings = newer
      ? { epoch: ref.epoch, attempt: ref.attempt, at: 0, samples: new Map<string, MetricSample>() }
      : known;
    readings.at = this.#clock.monotonic();
    for (const sample of samples)
      readings.samples.set(
        `${sample.vertex}#${sample.subtask}/${sample.operator ?? ""}/${sample.name}`,
        sample,
      );
    this.#jobs.set(ref.jobId, readings);
  }
  forget(jobId: string): void {
    this.#jobs.delete(jobId);
  }
  /** Samples of a job; kept for a while after it has fallen silent. */
  of(jobId: string): readonly MetricSample[] {
    const readings = this.#jobs.get(jobId);
    return readings === undefined ? [] : [...readings.samples.values()];
  }
  /** Seconds since the job's last report, or undefined without one; older than `keepMs` counts as none. */
  ageMs(jobId: string): number | undefined {
    const readings = this.#jobs.get(jobId);
    const age = readings === undefined ? undefined : this.#clock.monotonic() - readings.at;
    return age === undefined || age > this.#keepMs ? undefined : age;
  }
}
