/**
 * Aggregates that emit once per record: `reduce`, `sum`, `min`, `max`, `minBy`, `maxBy` (TRF-03).
 *
 * ROL-1  The n-th record of a key emits the aggregate of the first n, in input order, with the record's timestamp.
 * ROL-2  sum, min and max keep the other fields of the key's first record; minBy and maxBy emit the whole record that holds the extreme,
 *        on a tie the first (or with `first: false` the last) such record.
 * ROL-3  A batch whose field is a column of numbers is aggregated in the columns: of its rows only those become objects that state is to
 *        keep. Emitted is the same, and state is the same.
 */
import type { RecordBatch } from "@millrace/data";
import type {
  BatchKeys,
  NumberCell,
  Operator,
  OperatorDefinition,
  OperatorSetup,
  StateTable,
} from "@millrace/spi";
import { returned } from "./call-scope.ts";
import { fail } from "./fail.ts";
import { keyedRows } from "./keyed-rows.ts";
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
    const { row, onElement } = new Rolling(setup, combine, (value) => value);
    return { onElement, onBatch: keyedRows(setup, row) };
  },
};

interface RollingConfig {
  readonly fn: "sum" | "min" | "max" | "minBy" | "maxBy";
  readonly field: string;
  readonly first: boolean;
}

export const rollingOperator: OperatorDefinition = {
  kind: "rolling",
  inputs: 1,
  keyed: true,
  create(setup): Operator {
    const config = setup.config as RollingConfig;
    const { fn, field, first } = config;
    const number = (value: unknown): number => {
      const n = (value as Row)[field];
      if (typeof n !== "number")
        throw fail("OPERATOR_BAD_FIELD", {
          fields: { uid: setup.task.uid, field, found: n === null ? "null" : typeof n },
        });
      return n;
    };
    const put = (aggregate: unknown, n: number) => ({ ...(aggregate as Row), [field]: n });
    const combine: Readonly<Record<RollingConfig["fn"], Combine>> = {
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
    const rolling = new Rolling(setup, combine[fn], (value) => {
      number(value);
      return value;
    });
    const rows = keyedRows(setup, rolling.row);
    const columns = new RollingColumn(setup, config, rolling);
    return {
      onElement: rolling.onElement,
      onBatch(batch, from) {
        const numbers = batch.column(field)?.numbers;
        return numbers === undefined ? rows(batch, from) : columns.onBatch(batch, numbers, from);
      },
    };
  },
};

/** One row a key: the aggregate. */
class Rolling {
  readonly table: StateTable;
  readonly key: (value: unknown) => unknown;
  readonly #setup: OperatorSetup;
  readonly #combine: Combine;
  readonly #begin: (value: unknown) => unknown;

  constructor(setup: OperatorSetup, combine: Combine, begin: (value: unknown) => unknown) {
    this.table = setup.state.table({
      ...streamTable("aggregate", setup.inputTypes[0]),
      onePerKey: true,
    });
    this.key = setup.keys[0] as (value: unknown) => unknown;
    this.#setup = setup;
    this.#combine = combine;
    this.#begin = begin;
  }
  readonly onElement = (value: unknown, timestamp: number): void => {
    this.#setup.state.selectKey(this.key(value));
    this.row(value, timestamp);
  };
  /** The key is selected. */
  readonly row = (value: unknown, timestamp: number): void => {
    const { table } = this;
    const before = table.get(0, 0, 0);
    const after = before === undefined ? this.#begin(value) : this.#combine(before, value);
    table.put(0, 0, 0, after);
    this.#setup.output.emit(after, timestamp);
  };
}

/** Rows whose aggregates are made together before they are emitted one by one. */
const together = 256;

class RollingColumn {
  readonly #setup: OperatorSetup;
  readonly #config: RollingConfig;
  readonly #rolling: Rolling;
  readonly #cell: NumberCell;
  readonly #slots = new Int32Array(together);
  readonly #after = new Float64Array(together);
  /** Rows of the batch that state holds already: [from, to) are in `#slots` and, but for minBy and maxBy, `#after`. */
  #batch: RecordBatch | undefined;
  #from = 0;
  #to = 0;

  constructor(setup: OperatorSetup, config: RollingConfig, rolling: Rolling) {
    this.#setup = setup;
    this.#config = config;
    this.#rolling = rolling;
    this.#cell = rolling.table.cell(config.field);
  }
  onBatch(batch: RecordBatch, numbers: Float64Array | Int32Array, from: number): number {
    const { state, output, keyFields } = this.#setup;
    const { table, key, row } = this.#rolling;
    const { field } = this.#config;
    const { rows, timestamps } = batch;
    const keys = state.keysOf(batch, keyFields?.[0], (i) => key(batch.values()[i]));
    if (batch !== this.#batch) this.#to = 0;
    this.#batch = batch;
    const whole = this.#config.fn === "minBy" || this.#config.fn === "maxBy";
    for (let i = from; i < rows; i++) {
      if (output.full) return i;
      if (i >= this.#to) this.#aggregate(keys, numbers, { from: i, to: rows });
      const at = i - this.#from;
      if (i >= this.#to || (whole && this.#isBetter(numbers[i]!, this.#slots[at]!))) {
        // A key's first row, one that does not fit, or one that is to be kept whole.
        keys.select(i);
        row(batch.values()[i], timestamps[i]!);
        continue;
      }
      const value = table.valueAt(this.#slots[at]!);
      if (!whole) (value as Record<string, unknown>)[field] = this.#after[at];
      output.emit(value, timestamps[i]!);
    }
    this.#batch = undefined;
    return rows;
  }
  #aggregate(
    keys: BatchKeys,
    numbers: Float64Array | Int32Array,
    { from, to }: { readonly from: number; readonly to: number },
  ): void {
    const { fn } = this.#config;
    const slots = this.#slots;
    const count = this.#rolling.table.find(keys, {
      from,
      to: Math.min(to, from + together),
      slots,
    });
    this.#from = from;
    this.#to =
      from +
      (fn === "minBy" || fn === "maxBy"
        ? count
        : this.#cell.fold({ op: fn, slots, from, count, numbers, into: this.#after }));
  }
  #isBetter(n: number, slot: number): boolean {
    const { fn, first } = this.#config;
    const before = this.#cell.get(slot);
    // Not a number, or none at all: the aggregate itself must be looked at.
    if (Number.isNaN(before)) return true;
    return (fn === "minBy" ? n < before : n > before) || (!first && n === before);
  }
}
