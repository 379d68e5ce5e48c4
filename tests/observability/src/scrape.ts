/** Reads `/metrics` as Prometheus does. */

export interface Series {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface Scrape {
  readonly text: string;
  readonly all: readonly Series[];
  /** The series of a name whose labels contain these. */
  of(name: string, labels?: Readonly<Record<string, string>>): readonly Series[];
  /** Their sum; NaN when there is none, which equals nothing. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

export async function scrape(address: string): Promise<Scrape> {
  const response = await fetch(`http://${address.replace(/^http:\/\//, "")}/metrics`);
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || !type.startsWith("text/plain; version=0.0.4"))
    throw new Error(`${address}/metrics: ${response.status} ${type}`);
  return read(await response.text());
}

/** Several processes together, as a query over all targets sees them. */
export function together(scrapes: readonly Scrape[]): Scrape {
  return scrapeOf(
    scrapes.map(({ text }) => text).join(""),
    scrapes.flatMap(({ all }) => all),
  );
}

function read(text: string): Scrape {
  const types = new Map<string, string>();
  const all: Series[] = [];
  for (const line of text.split("\n")) {
    const declared = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (declared !== null) types.set(declared[1] ?? "", declared[2] ?? "");
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null) {
      if (line !== "" && !line.startsWith("# ")) throw new Error(`not of the format: ${line}`);
      continue;
    }
    const [, name = "", labels = "", value] = sample;
    all.push({
      name,
      type: types.get(name) ?? "untyped",
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]),
      ),
      value: Number(value),
    });
  }
  return scrapeOf(text, all);
}
function scrapeOf(text: string, all: readonly Series[]): Scrape {
  const of = (name: string, labels: Readonly<Record<string, string>> = {}) =>
    all.filter(
      (series) =>
        series.name === name &&
        Object.entries(labels).every(([key, value]) => series.labels[key] === value),
    );
  return {
    text,
    all,
    of,
    sum(name, labels) {
      const found = of(name, labels);
      return found.length === 0 ? Number.NaN : found.reduce((sum, { value }) => sum + value, 0);
    },
  };
}
