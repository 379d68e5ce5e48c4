/** Times in text. */

/** Milliseconds of ISO 8601 with a zone ("2013-01-01T10:00:00Z", "…+01:00", a space for the T); undefined for anything else. */
export function parseTimestamp(text: string): number | undefined {
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
