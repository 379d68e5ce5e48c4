/** What a runner reports about itself, and how the parts of a job are named in it. */

/** One reading of one metric. Counters are totals since the attempt began; gauges are the value now. */
export interface MetricSample {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly value: number;
  readonly vertex: string;
  readonly subtask: number;
  /** uid of the operator, absent for metrics of the whole subtask. */
  readonly operator?: string;
}
