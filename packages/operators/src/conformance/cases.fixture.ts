/** Recorded cases of `tests/conformance/flink-operators`, with Flink's ends of time turned into ours. */
import { readFileSync } from "node:fs";
import { maxWatermark, minWatermark } from "@millrace/data";

export interface RecordedCase {
  readonly id: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly steps: readonly Readonly<Record<string, unknown>>[];
  /** What each step emitted. */
  readonly expected: readonly (readonly Readonly<Record<string, unknown>>[])[];
  readonly late?: readonly (readonly Readonly<Record<string, unknown>>[])[];
  readonly state_after?: {
    readonly keyedStateEntries: number;
    readonly eventTimeTimers: number;
  };
  readonly tags?: readonly string[];
}

export function recordedCases(kind: string): readonly RecordedCase[] {
  const url = new URL(
    `../../../../tests/conformance/flink-operators/${kind}.jsonl`,
    import.meta.url,
  );
  return readFileSync(url, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line, revive) as RecordedCase);
}

function revive(_name: string, value: unknown): unknown {
  return value === "MAX" ? maxWatermark : value === "MIN" ? minWatermark : value;
}
