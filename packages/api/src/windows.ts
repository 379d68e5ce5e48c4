/** Window assigners and aggregates over fields. */
import type { ColumnAggregate, WindowConfig } from "@millrace/graph";
import { assertKnown, durationOf } from "./arguments.ts";
import type { Duration } from "./duration.ts";
import { fail } from "./fail.ts";
import type { TimeWindow, Window } from "./types.ts";

declare const waBrand: unique symbol;
export interface WindowAssigner<in T, out W extends Window> {
  readonly [waBrand]: (value: T) => W;
}
const assignerSymbol = Symbol.for("millrace.assigner");

export const TumblingEventTimeWindows = {
  /** Windows [n * size + offset, (n + 1) * size + offset) of event time. */
  of(size: Duration, options: { offset?: Duration } = {}): WindowAssigner<unknown, TimeWindow> {
    assertKnown("window", options, ["offset"]);
    const sizeMs = durationOf("size", size);
    const offsetMs = options.offset === undefined ? 0 : durationOf("offset", options.offset);
    if (!(sizeMs > 0))
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: { argument: "size", value: String(size), allowed: "a duration above 0" },
      });
    if (offsetMs >= sizeMs)
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: {
          argument: "offset",
          value: String(options.offset),
          allowed: "less than the size",
        },
      });
    return {
      [assignerSymbol]: { kind: "tumbling-event-time", sizeMs, offsetMs },
    } as unknown as WindowAssigner<unknown, TimeWindow>;
  },
} as const;

export function assignerOf(given: unknown): WindowConfig["assigner"] {
  const assigner = (
    given as { readonly [assignerSymbol]?: WindowConfig["assigner"] } | undefined
  )?.[assignerSymbol];
  if (assigner === undefined)
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: {
        argument: "window",
        allowed: 'a window assigner such as TumblingEventTimeWindows.of("1h")',
      },
    });
  return assigner;
}

declare const aggBrand: unique symbol;
export interface Aggregation<in T, out O> {
  readonly [aggBrand]: (value: T) => O;
}
const aggSymbol = Symbol.for("millrace.aggregation");
type NumericRow<F extends string> = Readonly<Record<F, number | null>>;

/** Aggregates over one field: no record object is made. Nulls are skipped, as in SQL. */
export const agg = {
  count: (): Aggregation<unknown, number> => make({ kind: "count", field: null }),
  sum: <const F extends string>(field: F): Aggregation<NumericRow<F>, number> =>
    make({ kind: "sum", field }),
  mean: <const F extends string>(field: F): Aggregation<NumericRow<F>, number> =>
    make({ kind: "mean", field }),
  min: <const F extends string>(field: F): Aggregation<NumericRow<F>, number> =>
    make({ kind: "min", field }),
  max: <const F extends string>(field: F): Aggregation<NumericRow<F>, number> =>
    make({ kind: "max", field }),
  /** Exact up to 64 values of a window, then within 0.5 % of the value. `q` from 0 to 1. */
  quantile<const F extends string>(field: F, q: number): Aggregation<NumericRow<F>, number> {
    if (!(q >= 0 && q <= 1))
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: { argument: "quantile", value: String(q), allowed: "0 to 1" },
      });
    return make({ kind: "quantile", field, q });
  },
  /** Exact, or by a sketch of 2 KB with about 2.3 % standard error. */
  countDistinct: <const F extends string>(
    field: F,
    options: { approximate?: boolean } = {},
  ): Aggregation<Readonly<Record<F, unknown>>, number> =>
    make({ kind: "countDistinct", field, approximate: options.approximate === true }),
} as const;

function make<T, O>(
  parts: Pick<ColumnAggregate, "kind" | "field"> & {
    readonly q?: number;
    readonly approximate?: boolean;
  },
): Aggregation<T, O> {
  return { [aggSymbol]: { q: null, approximate: false, ...parts } } as unknown as Aggregation<T, O>;
}

export function columnAggregateOf(name: string, given: unknown): ColumnAggregate {
  const parts = (given as { readonly [aggSymbol]?: Omit<ColumnAggregate, "name"> } | undefined)?.[
    aggSymbol
  ];
  if (parts === undefined)
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: { argument: name, allowed: "an aggregate such as agg.count()" },
    });
  return { name, ...parts };
}
