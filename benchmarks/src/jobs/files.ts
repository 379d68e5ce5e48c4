/**
 * A CSV file → event time → window of an hour for each of 200 airports → JSON lines in files: everything that a small real job does. The
 * loop reads in chunks, splits, keeps a Map for the open hour, and writes.
 */
import { closeSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { agg, type Env, TumblingEventTimeWindows, t, Watermarks } from "@millrace/api";
import { csv } from "millrace";
import { fileSink, fileSource } from "millrace/files";
import { type Benchmark, engine, type Run } from "../benchmark.ts";
import { randomOf } from "../data.ts";
import { discard } from "../streams.ts";

const Departure = t.object({
  carrier: t.string,
  flight: t.int32,
  origin: t.string,
  delayMinutes: t.float64,
  scheduled: t.timestamp,
});
interface Hour {
  readonly origin: string;
  readonly hour: number;
  readonly mean: number;
  readonly worst: number;
  readonly flights: number;
}
const foldOf = (row: Hour): number => row.flights + row.worst + row.origin.charCodeAt(1);
const hourMs = 3_600_000;
const inputOf = (run: Pick<Run, "folder">): string => join(run.folder, "departures.csv");
const outputOf = (run: Run): string => join(run.folder, "hours");
const linesAtOnce = 10_000;

/** In the order of time, ten a second of event time. */
function writeInput(run: Pick<Run, "folder" | "records">): void {
  const random = randomOf(11);
  const airports = Array.from({ length: 200 }, (_, i) => `A${(i + 1_296).toString(36)}`);
  const file = openSync(inputOf(run), "w");
  writeSync(file, "carrier,flight,origin,delayMinutes,scheduled\n");
  let text = "";
  for (let i = 0; i < run.records; i++) {
    const origin = airports[Math.floor(random() * airports.length)] ?? "";
    const delay = Math.floor(random() * 180) - 20;
    text += `UA,${1 + (i % 9_000)},${origin},${delay},${new Date(i * 100).toISOString()}\n`;
    if (i % linesAtOnce === 0) {
      writeSync(file, text);
      text = "";
    }
  }
  writeSync(file, text);
  closeSync(file);
}

function hours(env: Env, run: Run): void {
  const touch = run.probe.source((index) => index, run.warm);
  let rows = 0;
  const results = env
    .fromSource(
      fileSource({ path: inputOf(run), format: csv(Departure, { header: true }) }),
      Watermarks.monotonous({ timestamps: "scheduled" }),
    )
    .uid("in")
    .filter((row) => touch(rows++) >= 0 && row.delayMinutes > -20)
    .keyBy("origin")
    .window(TumblingEventTimeWindows.of("1h"))
    .aggregate(
      { mean: agg.mean("delayMinutes"), worst: agg.max("delayMinutes"), flights: agg.count() },
      (result, { key, window }): Hour => ({ origin: key, hour: window.start, ...result }),
    )
    .uid("hours");
  results.sinkTo(fileSink({ path: outputOf(run) })).uid("out");
  results.sinkTo(discard<Hour>(run, foldOf)).uid("sum");
}

interface Open {
  sum: number;
  worst: number;
  flights: number;
}
function byHand(run: Run): void {
  const { probe, warm } = run;
  const touch = probe.source((index) => index, warm);
  mkdirSync(outputOf(run), { recursive: true });
  const out = openSync(join(outputOf(run), "hours.jsonl"), "w");
  let open = new Map<string, Open>();
  let hour = 0;
  const close = (): void => {
    let text = "";
    for (const [origin, { sum, worst, flights }] of open) {
      const row: Hour = { origin, hour, mean: sum / flights, worst, flights };
      text += `${JSON.stringify(row)}\n`;
      probe.fold = (probe.fold + foldOf(row)) | 0;
      probe.count += 1;
    }
    writeSync(out, text);
    open = new Map();
  };
  let rows = 0;
  for (const line of linesOf(inputOf(run))) {
    touch(rows++);
    const [, , origin = "", delay = "", scheduled = ""] = line.split(",");
    const delayMinutes = Number(delay);
    if (delayMinutes <= -20) continue;
    const at = Date.parse(scheduled);
    if (at >= hour + hourMs) {
      close();
      hour = at - (at % hourMs);
    }
    const entry = open.get(origin);
    if (entry === undefined)
      open.set(origin, { sum: delayMinutes, worst: delayMinutes, flights: 1 });
    else {
      entry.sum += delayMinutes;
      if (delayMinutes > entry.worst) entry.worst = delayMinutes;
      entry.flights += 1;
    }
  }
  close();
  closeSync(out);
  probe.end();
}
/** Those of the header left out. */
function* linesOf(path: string): Generator<string> {
  const file = openSync(path, "r");
  const chunk = Buffer.alloc(65_536);
  let rest = "";
  let isHeader = true;
  for (let bytes = readSync(file, chunk); bytes > 0; bytes = readSync(file, chunk)) {
    const lines = (rest + chunk.toString("latin1", 0, bytes)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!isHeader) yield line;
      isHeader = false;
    }
  }
  closeSync(file);
}

export const files: readonly Benchmark[] = [
  {
    name: "files",
    what: "CSV file → windows of an hour → JSON files; per line of 45 bytes",
    parallelism: 1,
    deployment: "in process",
    records: 2_000_000,
    prepare: writeInput,
    builds: { [engine]: hours },
    loops: { "by hand": byHand },
  },
];
