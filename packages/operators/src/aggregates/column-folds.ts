/** Built-in aggregates of a window as folds into the numbers of its accumulators: see `columnAggregate` for what they mean. */
import type { RecordBatch } from "@millrace/data";
import type { ColumnAggregate } from "@millrace/graph";
import type { BatchKeys, BatchRows, Fold, NumberCell, StateTable } from "@millrace/spi";

interface Part {
  readonly cell: NumberCell;
  readonly op: Fold["op"];
  /** Undefined: of rows, not of a field's numbers. */
  readonly field: string | undefined;
}
type AddRows = (keys: BatchKeys, rows: BatchRows) => number;

/** Undefined when there is one that is more than numbers. */
export function columnFolds(
  fields: readonly ColumnAggregate[],
  table: StateTable<unknown[]>,
): ((batch: RecordBatch) => AddRows | undefined) | undefined {
  const parts = fields.map((aggregate, i) => partsOf(aggregate, table, i));
  if (parts.some((each) => each === undefined)) return undefined;
  const all = parts.flatMap((each) => each ?? []);
  return (batch) => {
    const columns = all.map(({ field }) =>
      field === undefined ? undefined : batch.column(field)?.numbers,
    );
    // Nulls and absent fields don't lie in a column of numbers.
    if (all.some(({ field }, i) => field !== undefined && columns[i] === undefined))
      return undefined;
    return (keys, rows) => {
      const count = table.find(keys, rows);
      const { slots, from } = rows;
      all.forEach(({ cell, op }, i) => {
        const numbers = columns[i];
        cell.fold({
          ...{ op, slots, from, count, skipNaN: true },
          ...(numbers === undefined ? {} : { numbers }),
        });
      });
      return count;
    };
  };
}

function partsOf(
  { kind, field }: ColumnAggregate,
  table: StateTable<unknown[]>,
  at: number,
): readonly Part[] | undefined {
  const of = field ?? undefined;
  switch (kind) {
    case "count":
      return [{ cell: table.cell(at), op: "count", field: undefined }];
    case "sum":
    case "min":
    case "max":
      return [{ cell: table.cell(at), op: kind, field: of ?? "" }];
    case "mean":
      return [
        { cell: table.cell(at, 0), op: "sum", field: of ?? "" },
        { cell: table.cell(at, 1), op: "count", field: of ?? "" },
      ];
    default:
      return undefined;
  }
}
