/**
 * Prometheus metrics of one process, and their text. Readings are set when a scrape or a report brings them.
 *
 * MTR-1  A series of what has gone is removed, so that what is scraped is what runs.
 * MTR-2  A counter is the total that its owner counts: no reading is lost or added twice, however often it is reported. A smaller total is
 *        a new beginning, which Prometheus sees as such.
 * MTR-3  The text is version 0.0.4 of the exposition format: series of a name stand together behind its help and type, values of labels
 *        are escaped, and a name without series is left out.
 */
import type { MetricName } from "./metric-names.ts";

export type Labels = Readonly<Record<string, string>>;
/** As it is served. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

interface Series {
  readonly labels: Labels;
  value: number;
}
interface Family {
  readonly name: MetricName;
  /** By their label values, joined. */
  readonly series: Map<string, Series>;
}

const contentType = "text/plain; version=0.0.4; charset=utf-8";

export class Metrics {
  readonly #families = new Map<string, Family>();

  /** The value now; for a counter the total so far. All readings of one name carry the same label names. */
  set(name: MetricName, labels: Labels, reading: number): void {
    let family = this.#families.get(name.name);
    if (family === undefined) {
      family = { name, series: new Map() };
      this.#families.set(name.name, family);
    }
    const value = reading * name.scale;
    const key = Object.values(labels).join("\u0000");
    const known = family.series.get(key);
    if (known === undefined) family.series.set(key, { labels, value });
    else known.value = value;
  }

  /** Removes every series whose labels contain these. */
  remove(match: Labels): void {
    const wanted = Object.entries(match);
    for (const { series } of this.#families.values()) {
      for (const [key, { labels }] of series)
        if (wanted.every(([name, value]) => labels[name] === value)) series.delete(key);
    }
  }
  text(): MetricsText {
    const families = [...this.#families.values()].filter(({ series }) => series.size > 0);
    return { contentType, text: families.map(textOf).join("\n") };
  }
}

function textOf({ name: { name, help, type }, series }: Family): string {
  const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  for (const { labels, value } of series.values()) {
    const pairs = Object.entries(labels).map(
      ([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`,
    );
    lines.push(`${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}`);
  }
  return `${lines.join("\n")}\n`;
}
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
