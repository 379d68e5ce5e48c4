/**
 * Batches of a keyed operator row by row, each with its key selected: keys are looked up together, values are made as the batch makes them.
 *
 * KYR-1  Same as `onElement` for each row in order, but for who selects the key (BKY-1).
 */
import type { RecordBatch } from "@millrace/data";
import type { OperatorSetup } from "@millrace/spi";

/** `row` is called with the key selected. */
export function keyedRows(
  setup: OperatorSetup,
  row: (value: unknown, timestamp: number) => void,
): (batch: RecordBatch, from: number) => number {
  const { state, output, keys, keyFields } = setup;
  const key = keys[0] as (value: unknown) => unknown;
  return (batch, from) => {
    const { rows, timestamps } = batch;
    const values = batch.values();
    const batchKeys = state.keysOf(batch, keyFields?.[0], (i) => key(values[i]));
    for (let i = from; i < rows; i++) {
      if (output.full) return i;
      batchKeys.select(i);
      row(values[i], timestamps[i]!);
    }
    return rows;
  };
}
