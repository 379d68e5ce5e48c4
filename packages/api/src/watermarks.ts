/** Watermark strategies: where event time comes from, and how far out of order it may be. */
import type { TypeNode } from "@millrace/data";
import type { WatermarkConfig } from "@millrace/graph";
import { assertKnown, durationOf } from "./arguments.ts";
import type { Duration } from "./duration.ts";
import { fail } from "./fail.ts";
import { assertFields } from "./fields.ts";
import type { FieldOf, WatermarkGenerator } from "./types.ts";

export interface WatermarkOptions<T> {
  /** Event time in ms: a field name keeps the columnar path, a function costs an object. Absent: the source's own timestamp. */
  timestamps?: FieldOf<T, number> | ((value: T) => number);
  /** A split without events for this long no longer holds the others back. Default: never. */
  idleness?: Duration;
}
declare const wmBrand: unique symbol;
export interface WatermarkStrategy<in T> {
  readonly [wmBrand]: (value: T) => void;
}
const strategySymbol = Symbol.for("millrace.watermarks");
export interface StrategyParts {
  readonly config: WatermarkConfig;
  readonly timestamps: ((value: never) => number) | undefined;
  readonly generator: (() => WatermarkGenerator<never>) | undefined;
}

export const Watermarks = {
  /** The largest timestamp seen less `delay` less 1 ms (Flink's `forBoundedOutOfOrderness`). */
  boundedOutOfOrderness<T>(
    delay: Duration,
    options: WatermarkOptions<T> = {},
  ): WatermarkStrategy<T> {
    return strategy("bounded", durationOf("delay", delay), options, undefined);
  },
  /** Timestamps never fall (Flink's `forMonotonousTimestamps`). */
  monotonous<T>(options: WatermarkOptions<T> = {}): WatermarkStrategy<T> {
    return strategy("bounded", 0, options, undefined);
  },
  /** No watermarks: for jobs without event time. */
  none(): WatermarkStrategy<unknown> {
    return strategy("none", 0, {}, undefined);
  },
  /** One generator per split, made by `create` (Flink's `forGenerator`). */
  generator<T>(
    create: () => WatermarkGenerator<T>,
    options: WatermarkOptions<T> = {},
  ): WatermarkStrategy<T> {
    return strategy("generator", 0, options, create as () => WatermarkGenerator<never>);
  },
} as const;

function strategy<T>(
  kind: WatermarkConfig["kind"],
  delayMs: number,
  options: WatermarkOptions<T>,
  generator: StrategyParts["generator"],
): WatermarkStrategy<T> {
  assertKnown("watermarks", options, ["timestamps", "idleness"]);
  const { timestamps, idleness } = options;
  const parts: StrategyParts = {
    config: {
      kind,
      delayMs,
      timestampField: typeof timestamps === "string" ? timestamps : null,
      idlenessMs: idleness === undefined ? null : durationOf("idleness", idleness),
    },
    timestamps:
      typeof timestamps === "function" ? (timestamps as (value: never) => number) : undefined,
    generator,
  };
  return { [strategySymbol]: parts } as unknown as WatermarkStrategy<T>;
}

/** Throws `BUILD_BAD_ARGUMENT` for something else. */
export function partsOf(given: unknown, type: TypeNode): StrategyParts {
  const parts = (given as { readonly [strategySymbol]?: StrategyParts } | undefined)?.[
    strategySymbol
  ];
  if (parts === undefined)
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: { argument: "watermarks", allowed: "what Watermarks.… returned" },
    });
  const { timestampField } = parts.config;
  if (timestampField !== null) assertFields(type, [timestampField], "timestamps", "numbers");
  return parts;
}
