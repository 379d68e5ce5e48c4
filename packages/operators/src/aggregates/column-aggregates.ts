/**
 * Aggregates over one field: count, sum, mean, min, max, quantile, countDistinct. Nulls and absent fields are skipped, as in SQL; an
 * aggregate over nothing is NaN for mean, min, max and quantile, 0 for count, sum and countDistinct.
 *
 * AGG-1  An accumulator is typed state: restored and merged like any other.
 */
import { encodeKey, type TypeNode } from "@millrace/data";
import type { ColumnAggregate } from "@millrace/graph";
import { fail } from "../fail.ts";
import { addToHyperLogLog, emptyHyperLogLog, estimateHyperLogLog } from "./hyper-log-log.ts";
import { addToSketch, emptySketch, quantileOfSketch, sketchType } from "./quantile-sketch.ts";

type Row = Readonly<Record<string, unknown>>;

export interface FieldAggregate {
  readonly accumulator: TypeNode;
  create(): unknown;
  /** The accumulator after one more row; it may be the same object, changed. */
  add(accumulator: unknown, row: Row): unknown;
  result(accumulator: unknown): number;
}

const float: TypeNode = { kind: "float64" };
const pair: TypeNode = { kind: "tuple", items: [float, float] };

export function columnAggregate(config: ColumnAggregate, uid: string): FieldAggregate {
  const field = config.field ?? "";
  /** The field's number, or NaN for null and absent. */
  const number = (row: Row): number => {
    const value = row[field];
    if (value === null || value === undefined) return Number.NaN;
    if (typeof value !== "number")
      throw fail("OPERATOR_BAD_FIELD", { fields: { uid, field, found: typeof value } });
    return value;
  };
  switch (config.kind) {
    case "count":
      return {
        accumulator: float,
        create: () => 0,
        add: (n) => (n as number) + 1,
        result: (n) => n as number,
      };
    case "sum":
      return {
        accumulator: float,
        create: () => 0,
        result: (n) => n as number,
        add(sum, row) {
          const n = number(row);
          return Number.isNaN(n) ? sum : (sum as number) + n;
        },
      };
    case "mean":
      return {
        accumulator: pair,
        create: () => [0, 0],
        result: (a) => ((a as number[])[0] as number) / ((a as number[])[1] as number),
        add(accumulator, row) {
          const n = number(row);
          if (Number.isNaN(n)) return accumulator;
          const [sum = 0, count = 0] = accumulator as readonly number[];
          return [sum + n, count + 1];
        },
      };
    case "min":
    case "max": {
      const better = config.kind === "min" ? Math.min : Math.max;
      return {
        accumulator: { kind: "nullable", of: float },
        create: () => null,
        result: (n) => (n === null ? Number.NaN : (n as number)),
        add(best, row) {
          const n = number(row);
          return Number.isNaN(n) ? best : best === null ? n : better(best as number, n);
        },
      };
    }
    case "quantile": {
      const q = config.q ?? 0.5;
      return {
        accumulator: sketchType,
        create: emptySketch,
        result: (sketch) => quantileOfSketch(sketch, q),
        add(sketch, row) {
          const n = number(row);
          return Number.isNaN(n) ? sketch : addToSketch(sketch, n);
        },
      };
    }
    case "countDistinct":
      return config.approximate ? approximateDistinct(field) : exactDistinct(field);
  }
}

function exactDistinct(field: string): FieldAggregate {
  return {
    accumulator: { kind: "json" },
    create: () => ({}),
    result: (seen) => Object.keys(seen as object).length,
    add(seen, row) {
      const value = row[field];
      if (value !== null && value !== undefined) (seen as Record<string, 1>)[keyTextOf(value)] = 1;
      return seen;
    },
  };
}

function approximateDistinct(field: string): FieldAggregate {
  return {
    accumulator: { kind: "bytes" },
    create: emptyHyperLogLog,
    result: (registers) => estimateHyperLogLog(registers as Uint8Array),
    add(registers, row) {
      const value = row[field];
      return value === null || value === undefined
        ? registers
        : addToHyperLogLog(registers as Uint8Array, value);
    },
  };
}

/** Equal values have equal text, different ones different text. */
function keyTextOf(value: unknown): string {
  if (typeof value === "string") return `s${value}`;
  if (typeof value === "number") return `n${value}`;
  return `b${encodeKey(value).join(",")}`;
}
