/** Durations and sizes as people write them ("5m", "64mb") and as code holds them (milliseconds, bytes). */
import { codes } from "./codes.ts";
import { errorsOf } from "./errors.ts";

const fail = errorsOf(codes);

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1_024,
  mb: 1_048_576,
  gb: 1_073_741_824,
};

/** Milliseconds of "250ms", "10s", "5m", "1h", "7d", or of a number that already is milliseconds. Throws `OPTION_BAD_DURATION`. */
export function parseDuration(value: string | number): number {
  if (typeof value === "number") {
    if (Number.isFinite(value) && value >= 0) return value;
    throw fail("OPTION_BAD_DURATION", { fields: { value: String(value) } });
  }
  return scaled(value, unitMs, "OPTION_BAD_DURATION");
}

/** Bytes of "512b", "64kb", "64mb", "1gb", or of a whole number of bytes. Throws `OPTION_BAD_SIZE`. */
export function parseSize(value: string | number): number {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw fail("OPTION_BAD_SIZE", { fields: { value: String(value) } });
  }
  return scaled(value, unitBytes, "OPTION_BAD_SIZE");
}

/** "1.5s", "250ms", "2m 5s": for people, never parsed again. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  // Rounded first, so that no unit is ever full: 59.96 s is a minute.
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${tenths / 10}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

function scaled(
  text: string,
  units: Readonly<Record<string, number>>,
  code: "OPTION_BAD_DURATION" | "OPTION_BAD_SIZE",
): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text);
  const factor = units[(match?.[2] ?? "").toLowerCase()];
  if (match === null || factor === undefined) throw fail(code, { fields: { value: text } });
  return Number(match[1]) * factor;
}
