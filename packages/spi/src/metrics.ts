/** Metrics as operators see them. Names are Flink's (flink metric reference, section "System metrics"). */
export interface Counter {
  inc(by?: number): void;
}
export interface OperatorMetrics {
  /** The counter of that name for this operator and subtask; the same object for the same name. */
  counter(name: string): Counter;
  /** Read when scraped. */
  gauge(name: string, read: () => number): void;
}
