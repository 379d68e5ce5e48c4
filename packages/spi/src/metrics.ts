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

/**
 * What a metric's name becomes in its series, without prefix: snake case, base units, `_total` for counters (docs/metrics.md). Two names of
 * one operator with the same answer would be one series.
 */
export function seriesOf(
  name: string,
  type: "counter" | "gauge",
): {
  readonly name: string;
  /** The readings are ms, the series is in seconds. */
  readonly inMs: boolean;
} {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  if (words.at(-1) === "total") words.pop();
  const base = words.map((word) => (word === "ms" ? "seconds" : word)).join("_");
  return { name: type === "counter" ? `${base}_total` : base, inMs: words.includes("ms") };
}
