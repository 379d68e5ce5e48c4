import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkRecords, type Flight, readFlights } from "./check.mjs";

/** `import.meta` loads nothing. */
const mentions = (source: string): number => source.match(/\bimport\.meta\b/g)?.length ?? 0;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const flights = readFlights(join(import.meta.dirname, "data/flights-2013-01.csv.gz"));

/** Output as a watermark that follows every record would make it, by plain code of its own. */
function compute(outOfOrdernessMs: number): { readonly delays: string[]; readonly late: string[] } {
  const windows = new Map<
    string,
    { origin: string; hour: number; fired: boolean; minutes: number[] }
  >();
  const delays: string[] = [];
  const late: string[] = [];
  const fire = (window: { origin: string; hour: number; minutes: number[] }): void => {
    const { origin, hour, minutes } = window;
    const sorted = [...minutes].sort((a, b) => a - b);
    const mean = sorted.reduce((a, b) => a + b, 0) / sorted.length;
    const p95 = sorted[Math.ceil(0.95 * sorted.length) - 1];
    delays.push(JSON.stringify({ origin, hour, mean, p95, flights: sorted.length }));
  };
  for (const { highestBefore, ...flight } of flights) {
    const watermark = highestBefore - outOfOrdernessMs - 1;
    for (const window of windows.values()) {
      if (window.fired || window.hour + hourMs - 1 > watermark) continue;
      window.fired = true;
      fire(window);
    }
    const hour = Math.floor(flight.scheduled / hourMs) * hourMs;
    if (hour + hourMs - 1 + 10 * minuteMs <= watermark) {
      late.push(JSON.stringify(flight));
      continue;
    }
    const key = `${flight.origin} ${hour}`;
    const window = windows.get(key) ?? { origin: flight.origin, hour, fired: false, minutes: [] };
    windows.set(key, window);
    window.minutes.push(flight.delayMinutes);
    if (window.fired) fire(window);
  }
  for (const window of windows.values()) if (!window.fired) fire(window);
  return { delays, late };
}

const outOfOrdernessMs = 15 * hourMs;
const right = compute(outOfOrdernessMs);
const problemsOf = (delays: readonly string[], late: readonly string[]): readonly string[] =>
  checkRecords(flights, { delays, late, outOfOrdernessMs }).problems;

describe("the check of departure delays", () => {
  test("it imports nothing but what comes with Node, and loads nothing else", () => {
    const source = readFileSync(join(import.meta.dirname, "check.mjs"), "utf8");
    const imported = [...source.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name]) => name);
    expect(imported.length).toBeGreaterThan(2);
    expect(imported.filter((name) => !name?.startsWith("node:"))).toEqual([]);
    expect(source.match(/\bimport\b/g)?.length).toBe(imported.length + mentions(source));
    expect(source).not.toMatch(/\b(require|createRequire|getBuiltinModule)\b/);
  });

  test("a right output has no problems", () => {
    const found = checkRecords(flights, { ...right, outOfOrdernessMs });
    expect(found).toMatchObject({
      problems: [],
      flights: 26_483,
      late: right.late.length,
      refired: 0,
    });
    expect(right.late.length).toBeGreaterThan(100);
  });

  test("a right output with windows that fired again has no problems", () => {
    const bound = 5 * minuteMs;
    const found = checkRecords(flights, { ...compute(bound), outOfOrdernessMs: bound });
    expect(found.problems).toEqual([]);
    expect(found.refired).toBeGreaterThan(50);
  });

  /** A few places in each output, first and last line among them. */
  const places = (lines: readonly string[]): readonly number[] => [
    0,
    1,
    lines.length >> 1,
    lines.length - 1,
  ];
  const with1 = (lines: readonly string[], at: number, ...instead: readonly string[]): string[] =>
    lines.toSpliced(at, 1, ...instead);

  test("CHK-1 CHK-2: one line removed or doubled is seen, wherever it is", () => {
    for (const at of places(right.delays)) {
      const line = right.delays[at] ?? "";
      expect(problemsOf(with1(right.delays, at), right.late)).toHaveLength(1);
      expect(problemsOf(with1(right.delays, at, line, line), right.late)).not.toEqual([]);
    }
    for (const at of places(right.late)) {
      const line = right.late[at] ?? "";
      expect(problemsOf(right.delays, with1(right.late, at))).not.toEqual([]);
      expect(problemsOf(right.delays, with1(right.late, at, line, line))).toHaveLength(1);
    }
  });

  test("CHK-1 CHK-3: one field altered is seen, whichever it is", () => {
    const at = right.delays.findIndex(
      (line) => (JSON.parse(line) as Flight & { flights: number }).flights > 10,
    );
    const alter = (line: string, field: string): string => {
      const row = JSON.parse(line) as Record<string, unknown>;
      const value = row[field];
      return JSON.stringify({
        ...row,
        [field]: typeof value === "number" ? value + 1 : `${String(value)}x`,
      });
    };
    for (const field of ["origin", "hour", "mean", "p95", "flights", "extra"]) {
      expect(
        problemsOf(with1(right.delays, at, alter(right.delays[at] ?? "", field)), right.late),
        field,
      ).not.toEqual([]);
    }
    for (const field of ["carrier", "flight", "origin", "scheduled", "delayMinutes", "extra"]) {
      expect(
        problemsOf(right.delays, with1(right.late, 7, alter(right.late[7] ?? "", field))),
        field,
      ).not.toEqual([]);
    }
  });

  test("CHK-1: a flight in time is not let through as late", () => {
    const { highestBefore, ...early } = flights[0] ?? ({} as Flight);
    expect(highestBefore).toBe(Number.NEGATIVE_INFINITY);
    expect(problemsOf(right.delays, [...right.late, JSON.stringify(early)])).toContainEqual(
      expect.stringMatching(/was not late/),
    );
  });

  test("a line that is no record is a problem, not an exception", () => {
    expect(problemsOf([...right.delays, "{"], [...right.late, "17"])).toHaveLength(2);
  });
});
