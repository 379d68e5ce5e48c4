/**
 * Watermark generators and idleness, for sources (per split) and `assignTimestampsAndWatermarks`.
 *
 * GEN-1  Bounded: largest timestamp seen, less the delay, less 1 ms (WM-02); nothing before the first event.
 * GEN-2  Only a larger watermark than the last is handed on (WM-03).
 * GEN-3  Idle after `idlenessMs` without an event, counted only while the input could have been read; active at the next event (WM-05).
 */
import { minWatermark } from "@millrace/data";
import type { WatermarkConfig } from "@millrace/graph";
import { fail } from "../fail.ts";

export interface UserGenerator {
  onEvent(value: unknown, timestamp: number, emit: (watermark: number) => void): void;
  onPeriodicEmit(emit: (watermark: number) => void): void;
}

/** One generator's view of the stream: a split, or an operator's whole input. */
export class WatermarkTracker {
  readonly #delayMs: number;
  readonly #idlenessMs: number | null;
  readonly #generator: UserGenerator | undefined;
  readonly #emit: (watermark: number) => void;
  #highest = minWatermark;
  #last = minWatermark;
  #lastEventAt: number;
  idle = false;

  constructor(
    config: WatermarkConfig,
    generator: UserGenerator | undefined,
    emit: (watermark: number) => void,
    now: number,
  ) {
    // "none" never emits.
    this.#delayMs = config.kind === "none" ? Number.NaN : config.delayMs;
    this.#idlenessMs = config.idlenessMs;
    this.#generator = generator;
    this.#lastEventAt = now;
    this.#emit = (watermark) => {
      if (!(watermark > this.#last)) return;
      this.#last = watermark;
      emit(watermark);
    };
  }
  get watermark(): number {
    return this.#last;
  }
  /** True when the input was idle and is active now. */
  onEvent(value: unknown, timestamp: number, now: number): boolean {
    this.#lastEventAt = now;
    if (this.#generator !== undefined) this.#generator.onEvent(value, timestamp, this.#emit);
    else if (timestamp > this.#highest) this.#highest = timestamp;
    const was = this.idle;
    this.idle = false;
    return was;
  }
  /** `pausedMs`: time since the last call in which nothing could have been read. True when the input became idle now. */
  onPeriodic(now: number, pausedMs: number): boolean {
    this.#lastEventAt += pausedMs;
    if (this.#generator !== undefined) this.#generator.onPeriodicEmit(this.#emit);
    else if (this.#highest !== minWatermark) this.#emit(this.#highest - this.#delayMs - 1);
    if (this.#idlenessMs === null || this.idle || now - this.#lastEventAt < this.#idlenessMs)
      return false;
    this.idle = true;
    return true;
  }
}

/** How an operator reads event times: a field, the user's function, or what the record already carries. */
export function timestampReader(
  config: WatermarkConfig,
  functions: Readonly<Record<string, unknown>>,
  uid: string,
): (value: unknown, given: number) => number {
  const { timestampField } = config;
  const fn = functions["timestamps"] as ((value: unknown) => number) | undefined;
  if (timestampField === null && fn === undefined) return (_value, given) => given;
  const read =
    timestampField === null
      ? (fn as (value: unknown) => number)
      : (value: unknown) => (value as Readonly<Record<string, unknown>>)[timestampField] as number;
  return (value) => {
    const timestamp = read(value);
    if (typeof timestamp !== "number" || !Number.isFinite(timestamp)) {
      throw fail("OPERATOR_BAD_TIMESTAMP", {
        fields: { uid, field: timestampField ?? "timestamps()", found: String(timestamp) },
      });
    }
    return timestamp;
  };
}

export function generatorOf(
  functions: Readonly<Record<string, unknown>>,
): (() => UserGenerator) | undefined {
  return functions["generator"] as (() => UserGenerator) | undefined;
}
