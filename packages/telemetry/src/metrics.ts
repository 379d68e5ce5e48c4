/**
 * Prometheus metrics of one process. Readings are set when a scrape or a report brings them.
 *
 * MTR-1  A series of what has gone is removed, so that what is scraped is what runs.
 * MTR-2  A counter is set to the total that its owner counts: no reading is lost or added twice, however often it is reported.
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { MetricName } from "./metric-names.ts";

export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly metric: Counter | Gauge;
  /** By their label values, joined. */
  readonly series: Map<string, { readonly labels: Labels; value: number }>;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #families = new Map<string, Family>();

  /** The value now; for a counter the total so far. All readings of one name carry the same label names. */
  set(name: MetricName, labels: Labels, reading: number): void {
    const { metric, series } = this.#family(name, labels);
    const value = reading * name.scale;
    const key = Object.values(labels).join("\u0000");
    let entry = series.get(key);
    if (entry === undefined) {
      entry = { labels, value: 0 };
      series.set(key, entry);
    }
    if (metric instanceof Gauge) metric.set(labels, value);
    else if (value >= entry.value) metric.inc(labels, value - entry.value);
    else {
      // A smaller total is a new beginning, which Prometheus sees as such.
      metric.remove(labels);
      metric.inc(labels, value);
    }
    entry.value = value;
  }

  /** Removes every series whose labels contain these. */
  remove(match: Labels): void {
    const wanted = Object.entries(match);
    for (const { metric, series } of this.#families.values()) {
      for (const [key, { labels }] of series) {
        if (!wanted.every(([name, value]) => labels[name] === value)) continue;
        metric.remove(labels);
        series.delete(key);
      }
    }
  }
  async text(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #family(name: MetricName, labels: Labels): Family {
    let family = this.#families.get(name.name);
    if (family === undefined) {
      const configuration = {
        name: name.name,
        help: name.help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
      };
      const metric =
        name.type === "counter" ? new Counter(configuration) : new Gauge(configuration);
      family = { metric, series: new Map() };
      this.#families.set(name.name, family);
    }
    return family;
  }
}
