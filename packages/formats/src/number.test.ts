import fc from "fast-check";
import { expect, test } from "vitest";
import { parseNumber } from "./number.ts";
import { parseTimestamp } from "./timestamp.ts";

/** What is a number by the language's own reading, and decimal. */
const byLanguage = (text: string): number | undefined => {
  const value = Number(text);
  return Number.isFinite(value) && text.trim() !== "" && !/[xob]/i.test(text) ? value : undefined;
};

test("NUM-1: every text is the number that the language reads", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 18 });
  const texts = fc.oneof(
    fc.double().map(String),
    fc.integer().map(String),
    fc
      .tuple(fc.constantFrom("", "-", "+", " "), digits, fc.constantFrom("", "."), digits)
      .map((parts) => parts.join("")),
    fc.string({ unit: fc.constantFrom(..."0123456789.-+eExob "), maxLength: 12 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(parseNumber(text)).toBe(byLanguage(text));
    }),
    { numRuns: 20_000 },
  );
  for (const text of [
    "-0",
    "-0.0",
    ".5",
    "5.",
    ".",
    "-",
    "",
    "1..2",
    "999999999999999",
    "0.000000000000001",
  ])
    expect(parseNumber(text), text).toBe(byLanguage(text));
});

test("TIM-1: the usual form of a time is the time that a Date says", () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date("0000-01-01T00:00:00Z"),
        max: new Date("9999-12-31T23:59:59.999Z"),
        noInvalidDate: true,
      }),
      fc.constantFrom("T", " "),
      (date, between) => {
        const text = date.toISOString().replace("T", between);
        expect(parseTimestamp(text)).toBe(date.getTime());
        const seconds = `${text.slice(0, 19)}Z`;
        expect(parseTimestamp(seconds)).toBe(Math.floor(date.getTime() / 1_000) * 1_000);
        expect(parseTimestamp(`${text.slice(0, 16)}Z`)).toBe(
          Math.floor(date.getTime() / 60_000) * 60_000,
        );
      },
    ),
    { numRuns: 5_000 },
  );
});
test("TIM-1: a time that there is not is refused in whatever form, and 24:00 is the next day's beginning", () => {
  const pair = fc.nat(99).map((n) => String(n).padStart(2, "0"));
  fc.assert(
    fc.property(
      fc.constantFrom("1970", "2000", "1900", "2012", "0000"),
      pair,
      pair,
      pair,
      pair,
      pair,
      (...parts) => {
        const [year, month, day, hour, minute, second] = parts;
        // A blank before it keeps it from being read digit by digit.
        for (const text of [
          `${year}-${month}-${day}T${hour}:${minute}Z`,
          `${year}-${month}-${day}T${hour}:${minute}:${second}Z`,
          `${year}-${month}-${day}T${hour}:${minute}:${second}.123Z`,
        ])
          expect(parseTimestamp(text), text).toBe(parseTimestamp(` ${text}`));
      },
    ),
    { numRuns: 5_000 },
  );
  expect(parseTimestamp("2013-01-01T24:00:00Z")).toBe(Date.parse("2013-01-02T00:00:00Z"));
  for (const text of [
    "201x-01-01T10:00Z",
    "2013-01-01T10:00:0xZ",
    "2013-01-01T10:00:00-Z",
    "2013+01-01T10:00Z",
    "2013-02-29T10:00Z",
  ])
    expect(parseTimestamp(text), text).toBeUndefined();
});
