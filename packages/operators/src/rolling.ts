/**
 * Aggregates that emit once per record: `reduce`, `sum`, `min`, `max`, `minBy`, `maxBy` (TRF-03).
 *
 * ROL-1  The n-th record of a key emits the aggregate of the first n, in input order, with the record's timestamp.
 * ROL-2  sum, min and max keep the other fields of the key's first record; minBy and maxBy emit the whole record that holds the extreme,
 *        on a tie the first (or with `first: false` the last) such record.
 */
import type { OperatorDefinition, OperatorSetup, StateTable } from "@millrace/spi";
import { returned } from "./call-scope.ts";
import { fail } from "./fail.ts";
import { streamTable } from "./stream-table.ts";

type Row = Readonly<Record<string, unknown>>;
type Combine = (aggregate: unknown, value: unknown) => unknown;

export const reduceOperator: OperatorDefinition = {
  kind: "reduce",
  inputs: 1,
  keyed: true,
  create(setup) {
    const fn = setup.functions["fn"] as Combine;
    const combine: Combine = (aggregate, value) => returned(setup, "reduce", fn(aggregate, value));
    return rolling(setup, combine, (value) => value);
  },
};

export const rollingOperator: OperatorDefinition = {
  kind: "rolling",
  inputs: 1,
  keyed: true,
  create(setup) {
    const { fn, field, first } = setup.config as {
      readonly fn: string;
      readonly field: string;
      readonly first: boolean;
    };
    const number = (value: unknown): number => {
      const n = (value as Row)[field];
      if (typeof n !== "number")
        throw fail("OPERATOR_BAD_FIELD", {
          fields: { uid: setup.task.uid, field, found: n === null ? "null" : typeof n },
        });
      return n;
    };
    const put = (aggregate: unknown, n: number) => ({ ...(aggregate as Row), [field]: n });
    const combine: Readonly<Record<string, Combine>> = {
      sum: (aggregate, value) => put(aggregate, number(aggregate) + number(value)),
      min: (aggregate, value) => put(aggregate, Math.min(number(aggregate), number(value))),
      max: (aggregate, value) => put(aggregate, Math.max(number(aggregate), number(value))),
      minBy: (aggregate, value) =>
        number(value) < number(aggregate) || (!first && number(value) === number(aggregate))
          ? value
          : aggregate,
      maxBy: (aggregate, value) =>
        number(value) > number(aggregate) || (!first && number(value) === number(aggregate))
          ? value
          : aggregate,
    };
    return rolling(setup, combine[fn] as Combine, (value) => {
      number(value);
      return value;
    });
  },
};

function rolling(
  setup: OperatorSetup,
  combine: Combine,
  begin: (value: unknown) => unknown,
): ReturnType<OperatorDefinition["create"]> {
  const { state, output } = setup;
  const key = setup.keys[0] as (value: unknown) => unknown;
  const table: StateTable = state.table(streamTable("aggregate", setup.inputTypes[0]));
  return {
    onElement(value, timestamp) {
      state.selectKey(key(value));
      const before = table.get(0, 0, 0);
      const after = before === undefined ? begin(value) : combine(before, value);
      table.put(0, 0, 0, after);
      output.emit(after, timestamp);
    },
  };
}
