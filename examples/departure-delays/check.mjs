/**
 * Holds the job's committed output against a plain computation of the same file. Imports nothing of Millrace.
 *
 *   node check.mjs <flights.csv.gz> <output folder> [out-of-orderness, such as 15h]      exit code 0: right; 1: wrong
 *
 * How far the watermark had come when a flight was read depends on time, so which flights are late is taken from the late
 * output. From there on nothing is free:
 *
 * CHK-1  A late record is a flight of the input, whole and unaltered, each at most once. With the out-of-orderness given, the
 *        watermark could have passed its window and the allowed lateness by then.
 * CHK-2  All other flights are on time. A window's results are those of its first k, k+1, …, n on-time flights in the order of
 *        the file: k when it first fired, one more for each that came within the allowed lateness, n all of them. So a window
 *        that fired once has one result, of all its flights.
 * CHK-3  A result's count is exact, its mean is exact up to rounding, its 95th percentile is the value at the nearest rank:
 *        exact up to 64 flights, then within 0.5 %. No other fields, no other records.
 *
 * It sees one removed, doubled or altered record, save for one case: of a window that fired several times, the first result
 * can be gone without a trace, since only timing decides how many flights it held. `refired` counts those windows.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const hourMs = 3_600_000;
const latenessMs = 600_000;
const exactRanks = 64;
const rankError = 0.005;
const rounding = 1e-9;

/** What is wrong, in words; nothing when the output is right. */
export function check(flightsFile, output, outOfOrdernessMs) {
  const flights = readFlights(flightsFile);
  return checkRecords(flights, {
    delays: readLines(join(output, "delays")),
    late: readLines(join(output, "late")),
    outOfOrdernessMs,
  });
}

/** The same over parsed flights and the lines of both outputs. */
export function checkRecords(flights, { delays, late, outOfOrdernessMs }) {
  const problems = [];
  const lateFlights = checkLate(flights, parse(late, problems), outOfOrdernessMs, problems);
  const windows = new Map();
  for (const flight of flights) {
    if (lateFlights.has(flight)) continue;
    const key = `${flight.origin} ${hourOf(flight)}`;
    if (!windows.has(key)) windows.set(key, []);
    windows.get(key).push(flight.delayMinutes);
  }
  const results = new Map();
  for (const row of parse(delays, problems)) {
    const key = `${row.origin} ${row.hour}`;
    if (!windows.has(key)) problems.push(`a result without flights: ${JSON.stringify(row)}`);
    else results.set(key, [...(results.get(key) ?? []), row]);
  }
  let refired = 0;
  for (const [key, all] of windows) {
    const rows = results.get(key) ?? [];
    if (rows.length > 1) refired += 1;
    checkWindow(key, rows, all, problems);
  }
  return {
    problems,
    flights: flights.length,
    late: lateFlights.size,
    windows: windows.size,
    refired,
  };
}

/** The flights that the late output names; CHK-1. */
function checkLate(flights, rows, outOfOrdernessMs, problems) {
  const unused = new Map();
  for (const flight of flights) {
    const same = unused.get(identityOf(flight)) ?? [];
    unused.set(identityOf(flight), [...same, flight]);
  }
  const late = new Set();
  for (const row of rows) {
    const flight = unused.get(identityOf(row))?.shift();
    if (flight === undefined || Object.keys(row).length !== 5) {
      problems.push(`a late record that is no flight, or twice: ${JSON.stringify(row)}`);
      continue;
    }
    late.add(flight);
    const end = hourOf(flight) + hourMs;
    if (flight.highestBefore - outOfOrdernessMs < end + latenessMs) {
      problems.push(`a late record that was not late: ${JSON.stringify(row)}`);
    }
  }
  return late;
}

/** CHK-2 and CHK-3. */
function checkWindow(key, rows, all, problems) {
  if (rows.length === 0) {
    problems.push(`no result for ${key}, which has ${all.length} flights`);
    return;
  }
  const sorted = [...rows].sort((a, b) => a.flights - b.flights);
  const newest = sorted[sorted.length - 1];
  if (newest.flights !== all.length) {
    problems.push(`${key}: ${newest.flights} flights in the newest result, expected ${all.length}`);
  }
  for (const [i, row] of sorted.entries()) {
    const expectedCount = all.length - sorted.length + 1 + i;
    if (row.flights !== expectedCount) {
      problems.push(`${key}: a result of ${row.flights} flights, expected ${expectedCount}`);
      continue;
    }
    const part = all.slice(0, row.flights);
    const mean = part.reduce((a, b) => a + b, 0) / part.length;
    const p95 = [...part].sort((a, b) => a - b)[Math.max(1, Math.ceil(0.95 * part.length)) - 1];
    const p95Error = (part.length > exactRanks ? rankError * Math.abs(p95) : 0) + rounding;
    if (!(Math.abs(row.mean - mean) <= rounding * Math.max(1, Math.abs(mean)))) {
      problems.push(`${key}: mean ${row.mean}, expected ${mean}`);
    }
    if (!(Math.abs(row.p95 - p95) <= p95Error)) {
      problems.push(`${key}: p95 ${row.p95}, expected ${p95}`);
    }
    if (Object.keys(row).length !== 5) {
      problems.push(`${key}: other fields than expected: ${JSON.stringify(row)}`);
    }
  }
}

function hourOf(flight) {
  return Math.floor(flight.scheduled / hourMs) * hourMs;
}

function identityOf({ carrier, flight, origin, scheduled, delayMinutes }) {
  return JSON.stringify([carrier, flight, origin, scheduled, delayMinutes]);
}

/** Flights that left, in the order of the file; `highestBefore`: the highest scheduled time in the lines before. */
export function readFlights(file) {
  const lines = gunzipSync(readFileSync(file)).toString("utf8").trimEnd().split("\n");
  const names = (lines.shift() ?? "").trim().split(",");
  const flights = [];
  let highestBefore = Number.NEGATIVE_INFINITY;
  for (const line of lines) {
    const values = line.trim().split(",");
    const of = (name) => values[names.indexOf(name)];
    const scheduled = Date.parse(of("time_hour")) + Number(of("minute")) * 60_000;
    if (of("dep_delay") !== "NA") {
      flights.push({
        carrier: of("carrier"),
        flight: Number(of("flight")),
        origin: of("origin"),
        scheduled,
        delayMinutes: Number(of("dep_delay")),
        highestBefore,
      });
    }
    highestBefore = Math.max(highestBefore, scheduled);
  }
  return flights;
}

/** The committed lines of a sink: those in files whose names begin neither with a dot nor an underscore. */
export function readLines(folder) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => !/^[._]/.test(name));
  return names.flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line !== ""),
  );
}

function parse(lines, problems) {
  return lines.flatMap((line) => {
    try {
      const row = JSON.parse(line);
      if (typeof row === "object" && row !== null) return [row];
    } catch {
      // Said below.
    }
    problems.push(`not a record: ${line.slice(0, 80)}`);
    return [];
  });
}

function millisOf(text) {
  const match = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text);
  if (match === null) throw new Error(`not a duration: ${text}`);
  return Number(match[1]) * { s: 1_000, m: 60_000, h: hourMs, d: 24 * hourMs }[match[2]];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [flightsFile, output, outOfOrderness] = process.argv.slice(2);
  if (flightsFile === undefined || output === undefined) {
    console.error("usage: node check.mjs <flights.csv.gz> <output folder> [out-of-orderness]");
    process.exit(2);
  }
  const bound = outOfOrderness === undefined ? 0 : millisOf(outOfOrderness);
  const { problems, flights, late, windows, refired } = check(flightsFile, output, bound);
  for (const problem of problems.slice(0, 20)) console.log(problem);
  console.log(
    problems.length === 0
      ? `right: ${flights} flights, each counted once: ${flights - late} in ${windows} windows ` +
          `(${refired} of them fired again), ${late} in the late output`
      : `WRONG: ${problems.length} problems`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
