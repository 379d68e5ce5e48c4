/**
 * The keys of a batch's rows, selected one after the other.
 *
 * BKY-1  Selecting a row's key is what selecting its value would be: the same key, new or not, refused or not.
 * BKY-2  Keys that lie in a column are looked up some rows ahead (DIR-3). What was looked up counts until the directory ends the batch.
 */
import type { ColumnView } from "@millrace/data";
import type { BatchKeys } from "@millrace/spi";
import type { KeyDirectory } from "./key-directory.ts";

interface Batch {
  readonly keys: KeyDirectory;
  readonly hashes: Uint32Array;
  /** Of numbers, or of strings that are all ASCII. */
  readonly column: ColumnView;
  readonly rows: number;
  /** Told of a key that no row held, when it has been selected. */
  readonly admit: (key: unknown) => void;
}

/** Rows looked up together: enough to keep the memory busy, few enough that what they bring stays near. */
const ahead = 1_024;

export class LookedUpKeys implements BatchKeys {
  readonly #of: Batch;
  /** Of the rows [from, to); -1 where one has to be selected. */
  readonly ids: Int32Array;
  from = 0;
  #to = 0;
  #batch = -1;

  constructor(of: Batch) {
    this.#of = of;
    this.ids = new Int32Array(Math.min(of.rows, ahead));
  }
  isOf(hashes: Uint32Array, column: ColumnView): boolean {
    return this.#of.hashes === hashes && this.#of.column === column;
  }
  select(row: number): void {
    const { keys, column } = this.#of;
    this.lookUp(row, row + 1);
    if (!keys.trySelectRow(this.ids[row - this.from]!, column, row)) this.#selectAlone(row);
  }
  #selectAlone(row: number): void {
    const { keys, hashes, column, admit } = this.#of;
    const key = column.get(row);
    if (keys.selectHashed(key, hashes[row]! | 0)) admit(key);
  }
  /** Sees that `ids` has those from `from` on; answers the row before which it ends, at most `to`. */
  lookUp(from: number, to: number): number {
    const { keys } = this.#of;
    if (from >= this.#to || from < this.from || this.#batch !== keys.batch) this.#lookUpFrom(from);
    return Math.min(to, this.#to);
  }
  #lookUpFrom(from: number): void {
    const { keys, hashes, column, rows } = this.#of;
    const to = Math.min(rows, from + ahead);
    const range = { from, to };
    if (column.ascii !== undefined) keys.lookUpText(hashes, column.ascii, range, this.ids);
    else if (column.numbers !== undefined)
      keys.lookUpNumbers(hashes, column.numbers, range, this.ids);
    this.from = from;
    this.#to = to;
    this.#batch = keys.batch;
  }
}
