/**
 * A number of a table's values, and what built-in aggregates do with it in many rows at once: one loop for each operation, over arrays.
 *
 * CEL-1  A fold stops before a row whose number the cell's type does not take, or that holds null where nothing can begin.
 */
import type { Fold, NumberCell } from "@millrace/spi";
import type { Columns } from "./columns.ts";
import type { NumberPart, PartName } from "./layout.ts";

const noNumbers = new Float64Array(0);

export class Cell implements NumberCell {
  readonly #path: readonly PartName[];
  readonly #of: () => Columns | undefined;
  #columns: Columns | undefined;
  #part: NumberPart | undefined;

  /** `columns`: once they are there they stay. */
  constructor(path: readonly PartName[], columns: () => Columns | undefined) {
    this.#path = path;
    this.#of = columns;
  }
  get(slot: number): number {
    const part = this.#found();
    if (part === undefined || this.#columns?.validOf(part)?.[slot] === 0) return Number.NaN;
    return this.#columns?.numbersOf(part)[slot] ?? Number.NaN;
  }
  fold(fold: Fold): number {
    const part = this.#found();
    const columns = this.#columns;
    if (part === undefined || columns === undefined) return 0;
    const store = columns.numbersOf(part);
    const valid = columns.validOf(part);
    const { op, numbers } = fold;
    if (op === "count") return count(store, fold);
    if (numbers === undefined) return 0;
    if (valid !== undefined || part.kind !== "float64")
      return checked(store, valid, { ...fold, kind: part.kind, numbers });
    const into = fold.into ?? noNumbers;
    if (op === "sum") return sum(store, fold, numbers, into);
    return op === "min" ? min(store, fold, numbers, into) : max(store, fold, numbers, into);
  }
  #found(): NumberPart | undefined {
    if (this.#columns === undefined) {
      this.#columns = this.#of();
      this.#part = this.#columns?.numberPart(this.#path);
    }
    return this.#part;
  }
}

type Numbers = Float64Array | Int32Array;

// Writing past the end of an empty `into` does nothing.

function sum(store: Float64Array, fold: Fold, numbers: Numbers, into: Float64Array): number {
  const { slots, from, count, skipNaN } = fold;
  for (let i = 0; i < count; i++) {
    const n = numbers[from + i]!;
    if (skipNaN === true && n !== n) continue;
    const slot = slots[i]!;
    const after = store[slot]! + n;
    store[slot] = after;
    if (i < into.length) into[i] = after;
  }
  return count;
}
function min(store: Float64Array, fold: Fold, numbers: Numbers, into: Float64Array): number {
  const { slots, from, count, skipNaN } = fold;
  for (let i = 0; i < count; i++) {
    const n = numbers[from + i]!;
    if (skipNaN === true && n !== n) continue;
    const slot = slots[i]!;
    const after = Math.min(store[slot]!, n);
    store[slot] = after;
    if (i < into.length) into[i] = after;
  }
  return count;
}
function max(store: Float64Array, fold: Fold, numbers: Numbers, into: Float64Array): number {
  const { slots, from, count, skipNaN } = fold;
  for (let i = 0; i < count; i++) {
    const n = numbers[from + i]!;
    if (skipNaN === true && n !== n) continue;
    const slot = slots[i]!;
    const after = Math.max(store[slot]!, n);
    store[slot] = after;
    if (i < into.length) into[i] = after;
  }
  return count;
}
/** Of rows, or of numbers that are not NaN. */
function count(store: Float64Array, { slots, from, count, numbers, skipNaN }: Fold): number {
  for (let i = 0; i < count; i++) {
    if (skipNaN === true && numbers !== undefined && Number.isNaN(numbers[from + i])) continue;
    store[slots[i]!]! += 1;
  }
  return count;
}

/** For cells of narrower types, and those that may hold null. */
function checked(
  store: Float64Array,
  valid: Uint8Array | undefined,
  fold: Fold & { readonly kind: NumberPart["kind"]; readonly numbers: Numbers },
): number {
  const { op, slots, from, count, kind, numbers, skipNaN, into } = fold;
  for (let i = 0; i < count; i++) {
    const n = numbers[from + i]!;
    if (skipNaN === true && n !== n) continue;
    const slot = slots[i]!;
    const isNull = valid !== undefined && valid[slot] === 0;
    if (isNull && skipNaN !== true) return i;
    const before = store[slot]!;
    let after = n;
    if (!isNull)
      after = op === "sum" ? before + n : op === "min" ? Math.min(before, n) : Math.max(before, n);
    if (!fits(kind, after)) return i;
    store[slot] = after;
    if (valid !== undefined) valid[slot] = 1;
    if (into !== undefined) into[i] = after;
  }
  return count;
}
function fits(kind: NumberPart["kind"], n: number): boolean {
  switch (kind) {
    case "float64":
      return true;
    case "int32":
      return (n | 0) === n;
    case "int64":
      return Number.isSafeInteger(n);
    case "timestamp":
      return Number.isFinite(n);
  }
}
