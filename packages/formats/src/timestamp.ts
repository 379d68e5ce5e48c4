/** Times in text. */

/** Milliseconds of ISO 8601 with a zone ("2013-01-01T10:00:00Z", "…+01:00", a space for the T); undefined for anything else. */
export function parseTimestamp(text: string): number | undefined {
  const match =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})$/.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const zone =
    match[3] === "Z" ? "Z" : `${(match[3] ?? "").slice(0, 3)}:${(match[3] ?? "").slice(-2)}`;
  const ms = Date.parse(`${match[1] ?? ""}T${match[2] ?? ""}${zone}`);
  return Number.isNaN(ms) ? undefined : ms;
}
