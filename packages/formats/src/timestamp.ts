/**
 * Times in text.
 *
 * TIM-1  The usual form, a UTC time of 17 to 24 characters, is read digit by digit, any other by a pattern: both say the same of the same text.
 */
import { digitsAt } from "./number.ts";

/** Milliseconds of ISO 8601 with a zone ("2013-01-01T10:00:00Z", "…+01:00", a space for the T); undefined for anything else. */
export function parseTimestamp(text: string): number | undefined {
  return usual(text) ?? byPattern(text);
}

const dayMs = 86_400_000;

/** "2013-01-01T10:00Z", with seconds, with three digits of a second; undefined for other forms and for times that there are not. */
function usual(text: string): number | undefined {
  const { length } = text;
  if (length !== 17 && length !== 20 && length !== 24) return undefined;
  const between = text.charCodeAt(10);
  if (
    text.charCodeAt(4) !== 45 ||
    text.charCodeAt(7) !== 45 ||
    (between !== 84 && between !== 32) ||
    text.charCodeAt(13) !== 58 ||
    text.charCodeAt(length - 1) !== 90
  )
    return undefined;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 7);
  const day = digitsAt(text, 8, 10);
  const hour = digitsAt(text, 11, 13);
  const minute = digitsAt(text, 14, 16);
  let second = 0;
  let ms = 0;
  if (length > 17) {
    if (text.charCodeAt(16) !== 58) return undefined;
    second = digitsAt(text, 17, 19);
  }
  if (length > 20) {
    if (text.charCodeAt(19) !== 46) return undefined;
    ms = digitsAt(text, 20, 23);
  }
  // NaN is in no range.
  if (!(year >= 0 && month >= 1 && month <= 12)) return undefined;
  if (!(day >= 1 && day <= daysIn(year, month))) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 59 && ms <= 999)) return undefined;
  return (
    daysSince1970(year, month, day) * dayMs + ((hour * 60 + minute) * 60 + second) * 1_000 + ms
  );
}

/** Of the Gregorian calendar, from March on, where leap days are at the end of a year. */
function daysSince1970(year: number, month: number, day: number): number {
  const fromMarch = (month + 9) % 12;
  const y = year - (month <= 2 ? 1 : 0);
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + Math.floor((fromMarch * 153 + 2) / 5) + day - 1 - 719_468;
}

function byPattern(text: string): number | undefined {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})$/.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const [, year = "", month = "", day = "", time = "", offset = ""] = match;
  // `Date.parse` takes February 30th for March 2nd.
  if (Number(day) > daysIn(Number(year), Number(month))) return undefined;
  const zone = offset === "Z" ? "Z" : `${offset.slice(0, 3)}:${offset.slice(-2)}`;
  const ms = Date.parse(`${year}-${month}-${day}T${time}${zone}`);
  return Number.isNaN(ms) ? undefined : ms;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
