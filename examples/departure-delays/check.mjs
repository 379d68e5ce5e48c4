/**
 * Holds the job's output against a plain computation of the same file. Imports nothing of Millrace.
 *
 *   node check.mjs <flights.csv.gz> <output directory>        exit code 0: right; 1: wrong, with what is wrong
 *
 * Which flights are late depends on how far the watermark had come when they were read, so it is taken from the late output, and
 * everything else follows: the flights that are not late must be counted once each, in the newest result of their hour.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const hourMs = 3_600_000;
/** Bound of the quantile's relative error, and of rounding in a sum whose order may differ. */
const quantileError = 0.0051;
const roundingError = 1e-9;

/** Problems found, in words; none: the output is right. */
export function check(flightsFile, output) {
  const problems = [];
  const expected = new Map();
  for (const flight of readFlights(flightsFile)) bucket(expected, flight).push(flight.delayMinutes);
  const input = [...expected.values()].reduce((sum, delays) => sum + delays.length, 0);

  const late = readLines(join(output, "late"), problems);
  for (const flight of late) {
    const delays = bucket(expected, flight);
    const at = delays.indexOf(flight.delayMinutes);
    if (at < 0)
      problems.push(
        `late output holds a flight that is not in the input, or twice: ${JSON.stringify(flight)}`,
      );
    else delays.splice(at, 1);
  }

  const results = new Map();
  for (const row of readLines(join(output, "delays"), problems)) {
    const key = `${row.origin} ${row.hour}`;
    const rows = results.get(key) ?? [];
    if (rows.some((other) => other.flights === row.flights))
      problems.push(`result given twice: ${JSON.stringify(row)}`);
    rows.push(row);
    results.set(key, rows);
  }
  for (const [key, delays] of expected) {
    if (delays.length === 0) continue;
    const rows = results.get(key) ?? [];
    results.delete(key);
    const newest = rows.sort((a, b) => b.flights - a.flights)[0];
    if (newest === undefined) problems.push(`no result for ${key}`);
    else compare(key, newest, delays, problems);
  }
  for (const key of results.keys()) problems.push(`result for an hour without flights: ${key}`);
  return { problems, input, late: late.length, windows: expected.size };
}

function compare(key, row, delays, problems) {
  const mean = delays.reduce((a, b) => a + b, 0) / delays.length;
  const p95 = [...delays].sort((a, b) => a - b)[Math.max(1, Math.ceil(0.95 * delays.length)) - 1];
  if (row.flights !== delays.length)
    problems.push(`${key}: ${row.flights} flights, expected ${delays.length}`);
  else if (Math.abs(row.mean - mean) > roundingError * Math.max(1, Math.abs(mean)))
    problems.push(`${key}: mean ${row.mean}, expected ${mean}`);
  else if (Math.abs(row.p95 - p95) > quantileError * Math.abs(p95))
    problems.push(`${key}: p95 ${row.p95}, expected ${p95}`);
}

function* readFlights(file) {
  const [head, ...lines] = gunzipSync(readFileSync(file)).toString("utf8").trimEnd().split("\n");
  const names = head.trim().split(",");
  const column = (name) => names.indexOf(name);
  const [origin, delay, minute, hour] = ["origin", "dep_delay", "minute", "time_hour"].map(column);
  for (const line of lines) {
    const fields = line.trim().split(",");
    if (fields[delay] === "NA") continue;
    yield {
      origin: fields[origin],
      scheduled: Date.parse(fields[hour]) + Number(fields[minute]) * 60_000,
      delayMinutes: Number(fields[delay]),
    };
  }
}

function bucket(map, flight) {
  const key = `${flight.origin} ${Math.floor(flight.scheduled / hourMs) * hourMs}`;
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

/** The committed records of a sink: files whose names begin neither with a dot nor an underscore. */
function readLines(folder, problems) {
  let names = [];
  try {
    names = readdirSync(folder)
      .filter((name) => !/^[._]/.test(name))
      .sort();
  } catch {
    return [];
  }
  return names.flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line) => {
        try {
          return [JSON.parse(line)];
        } catch {
          problems.push(`${name}: not a record: ${line.slice(0, 80)}`);
          return [];
        }
      }),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [flights, output] = process.argv.slice(2);
  const { problems, input, late, windows } = check(flights, output);
  for (const problem of problems.slice(0, 20)) console.log(problem);
  console.log(
    problems.length === 0
      ? `right: ${input} flights, ${late} of them late, ${windows} windows`
      : `WRONG: ${problems.length} problems`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
