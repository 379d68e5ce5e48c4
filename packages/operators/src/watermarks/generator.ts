/**
 * Watermark generators and idleness, for sources (per split) and `assignTimestampsAndWatermarks`.
 *
 * GEN-1  Bounded: largest timestamp seen, less the delay, less 1 ms (WM-02); nothing before the first event.
 * GEN-2  Only a larger watermark than the last is handed on (WM-03).
 * GEN-3  Idle after more than `idlenessMs` without an event, counted from the first periodic call that saw none (no clock is read per
 *        event) and only while the input could have been read; active at the next event (WM-05). An idle generator is not asked.
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
  readonly #kind: WatermarkConfig["kind"];
  readonly #delayMs: number;
  readonly #idlenessMs: number | null;
  readonly #generator: UserGenerator | undefined;
  readonly #emit: (watermark: number) => void;
  #highest = minWatermark;
  #last = minWatermark;
  /** An event came since the last periodic call. */
  #active = false;
  #inactiveSince: number | undefined;
  idle = false;

  constructor(
    config: WatermarkConfig,
    generator: UserGenerator | undefined,
    emit: (watermark: number) => void,
  ) {
    this.#kind = config.kind;
    this.#delayMs = config.delayMs;
    this.#idlenessMs = config.idlenessMs;
    this.#generator = generator;
    this.#emit = (watermark) => {
      if (!(watermark > this.#last)) return;
      this.#last = watermark;
      emit(watermark);
    };
  }
  /** After the record itself has been emitted. True when the input was idle and is active now. */
  onEvent(value: unknown, timestamp: number): boolean {
    this.#active = true;
    const was = this.idle;
    this.idle = false;
    if (this.#generator !== undefined) this.#generator.onEvent(value, timestamp, this.#emit);
    else if (timestamp > this.#highest) this.#highest = timestamp;
    return was;
  }
  /** As `onEvent` for many records, of which only their timestamps count. */
  onEvents(timestamps: Float64Array, from: number, to: number): void {
    this.#active = true;
    this.idle = false;
    for (let row = from; row < to; row++)
      if (timestamps[row]! > this.#highest) this.#highest = timestamps[row]!;
  }
  /** `readableMs`: a clock that stands still while nothing can be read. True when the input became idle now. */
  onPeriodic(readableMs: number): boolean {
    if (this.#becomesIdle(readableMs)) {
      const was = this.idle;
      this.idle = true;
      return !was;
    }
    this.advance();
    return false;
  }
  /** Emits what the events so far allow. */
  advance(): void {
    if (this.#generator !== undefined) this.#generator.onPeriodicEmit(this.#emit);
    else if (this.#kind !== "none" && this.#highest !== minWatermark)
      this.#emit(this.#highest - this.#delayMs - 1);
  }

  #becomesIdle(readableMs: number): boolean {
    if (this.#idlenessMs === null) return false;
    if (this.#active) {
      this.#active = false;
      this.#inactiveSince = undefined;
      return false;
    }
    this.#inactiveSince ??= readableMs;
    return readableMs - this.#inactiveSince > this.#idlenessMs;
  }
}

/** A clock of the time in which input could be read: whenever a look at the output finds it full, the time since the last look is lost. */
export class ReadableClock {
  readonly #now: () => number;
  #last: number;
  #lost = 0;
  #wasFull = false;

  constructor(now: () => number) {
    this.#now = now;
    this.#last = now();
  }
  look(full: boolean): number {
    const now = this.#now();
    if (full || this.#wasFull) this.#lost += now - this.#last;
    this.#wasFull = full;
    this.#last = now;
    return now - this.#lost;
  }
}

/** What a record already carries. */
export const asGiven = (_value: unknown, given: number): number => given;

/** How an operator reads event times: a field, the user's function, or what the record already carries. */
export function timestampReader(
  config: WatermarkConfig,
  functions: Readonly<Record<string, unknown>>,
  uid: string,
): (value: unknown, given: number) => number {
  const { timestampField } = config;
  const fn = functions["timestamps"] as ((value: unknown) => number) | undefined;
  if (timestampField === null && fn === undefined) return asGiven;
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
