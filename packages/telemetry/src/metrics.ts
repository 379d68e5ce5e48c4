/**
 * Prometheus metrics of one process. Readings are set when a scrape or a report brings them; children are cached by their labels.
 *
 * MTR-1  A series of a subtask that has gone is removed, so that what is scraped is what runs.
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { MetricName } from "./metric-names.ts";

export type Labels = Readonly<Record<string, string>>;

export class Metrics {
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<
    string,
    { readonly counter: Counter; readonly totals: Map<string, number> }
  >();

  /** The value now. All readings of one name carry the same label names. */
  gauge(metric: MetricName, labels: Labels, value: number): void {
    let gauge = this.#gauges.get(metric.name);
    if (gauge === undefined) {
      gauge = new Gauge({
        name: metric.name,
        help: metric.help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
      });
      this.#gauges.set(metric.name, gauge);
    }
    gauge.set(labels, value);
  }

  /** The total since the series began; a smaller total than before is a restart, which Prometheus sees as such. */
  counter(metric: MetricName, labels: Labels, total: number): void {
    let entry = this.#counters.get(metric.name);
    if (entry === undefined) {
      entry = {
        counter: new Counter({
          name: metric.name,
          help: metric.help,
          labelNames: Object.keys(labels),
          registers: [this.#registry],
        }),
        totals: new Map(),
      };
      this.#counters.set(metric.name, entry);
    }
    const key = Object.values(labels).join(" ");
    const before = entry.totals.get(key) ?? 0;
    if (total < before) entry.counter.remove(labels);
    entry.totals.set(key, total);
    entry.counter.inc(labels, total < before ? total : total - before);
  }

  /** Removes every series of every metric: what still runs comes back with the next reading. */
  clear(): void {
    for (const gauge of this.#gauges.values()) gauge.reset();
    for (const { counter, totals } of this.#counters.values()) {
      counter.reset();
      totals.clear();
    }
  }
  async text(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
