/**
 * One table in memory: rows addressed by (key, a, b, c), with the bookkeeping that incremental snapshots need.
 *
 * TBL-1  A row's value is never changed in place: `put` stores a copy, `get` hands out a copy (STA-2). A snapshot may therefore keep
 *        references and encode them later.
 * TBL-2  Every change goes through `change`: it marks the row as changed in the current epoch and records the undo.
 * TBL-3  A deleted row leaves a tombstone only if the newest completed checkpoint, or one in progress, may hold it.
 */
import { copyValue, encodeKey, inferType, type TypeNode } from "@millrace/data";
import type { TableDeclaration } from "@millrace/spi";

export interface Row {
  readonly key: unknown;
  readonly group: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** Undefined: deleted; the row stays as a tombstone until no snapshot can need it. */
  value: { readonly current: unknown } | undefined;
  /** Epoch of the last change. */
  changedIn: number;
  /** Epoch in which the row came to be; rows of a restored checkpoint have epoch 0. */
  readonly bornIn: number;
}

export interface SelectedKey {
  readonly key: unknown;
  readonly group: number;
  /** Equal for equal keys, different for different ones. */
  readonly text: string;
}

/** Undoes one change. */
export type Undo = () => void;

export class Table {
  readonly name: string;
  readonly origin: TableDeclaration["origin"];
  #type: TypeNode;
  readonly #rows = new Map<string, Row>();
  /** Rows changed since the newest completed checkpoint, by row; emptied as checkpoints complete. */
  readonly #dirty = new Set<Row>();
  #live = 0;

  constructor(declaration: TableDeclaration) {
    this.name = declaration.name;
    this.origin = declaration.origin;
    this.#type = declaration.type;
  }
  /** For inferred tables: the join of all values seen so far. */
  get type(): TypeNode {
    return this.#type;
  }
  get size(): number {
    return this.#live;
  }
  /** True once a value of the table has been seen whose type is learnt. */
  #typed = false;

  get(selected: SelectedKey, a: number, b: number, c: number): unknown {
    const row = this.#rows.get(rowKey(selected, a, b, c));
    return row?.value === undefined ? undefined : copyValue(row.value.current);
  }
  has(selected: SelectedKey, a: number, b: number, c: number): boolean {
    return this.#rows.get(rowKey(selected, a, b, c))?.value !== undefined;
  }

  put(
    at: {
      readonly selected: SelectedKey;
      readonly epoch: number;
      readonly undo: Undo[] | undefined;
    },
    namespace: readonly [number, number, number],
    value: unknown,
  ): void {
    const [a, b, c] = namespace;
    const key = rowKey(at.selected, a, b, c);
    if (this.origin === "inferred") this.#learn(value);
    const known = this.#rows.get(key);
    if (known === undefined) {
      const row: Row = {
        key: at.selected.key,
        group: at.selected.group,
        a,
        b,
        c,
        value: { current: copyValue(value) },
        changedIn: at.epoch,
        bornIn: at.epoch,
      };
      this.#rows.set(key, row);
      this.#dirty.add(row);
      this.#live += 1;
      at.undo?.push(() => {
        this.#rows.delete(key);
        this.#dirty.delete(row);
        this.#live -= 1;
      });
      return;
    }
    this.#change(known, { current: copyValue(value) }, at);
  }

  delete(
    at: {
      readonly selected: SelectedKey;
      readonly epoch: number;
      readonly undo: Undo[] | undefined;
    },
    a: number,
    b: number,
    c: number,
  ): void {
    const row = this.#rows.get(rowKey(at.selected, a, b, c));
    if (row?.value !== undefined) this.#change(row, undefined, at);
  }

  #change(
    row: Row,
    value: Row["value"],
    at: { readonly epoch: number; readonly undo: Undo[] | undefined },
  ): void {
    const before = row.value;
    const changedIn = row.changedIn;
    const wasDirty = this.#dirty.has(row);
    row.value = value;
    row.changedIn = at.epoch;
    this.#dirty.add(row);
    this.#live += (value === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    at.undo?.push(() => {
      row.value = before;
      row.changedIn = changedIn;
      if (!wasDirty) this.#dirty.delete(row);
      this.#live += (before === undefined ? 0 : 1) - (value === undefined ? 0 : 1);
    });
  }

  #learn(value: unknown): void {
    this.#type = this.#typed ? inferType(value, this.#type) : inferType(value, this.#type);
    this.#typed = true;
  }

  /** A row from a segment. Rows come in the order of levels: a later one replaces an earlier. */
  restore(
    selected: SelectedKey,
    namespace: readonly [number, number, number],
    value: { readonly current: unknown } | undefined,
  ): void {
    const [a, b, c] = namespace;
    const key = rowKey(selected, a, b, c);
    const known = this.#rows.get(key);
    if (known?.value !== undefined) this.#live -= 1;
    if (value === undefined) {
      this.#rows.delete(key);
      return;
    }
    this.#rows.set(key, {
      key: selected.key,
      group: selected.group,
      a,
      b,
      c,
      value,
      changedIn: 0,
      bornIn: 0,
    });
    this.#live += 1;
  }

  /**
   * Rows and tombstones changed after `since`: references, taken at once (TBL-1). `since` -1: every live row.
   * Rows born after `since` and gone again leave nothing.
   */
  changedAfter(since: number): readonly { readonly row: Row; readonly value: Row["value"] }[] {
    const found: { row: Row; value: Row["value"] }[] = [];
    if (since < 0) {
      for (const row of this.#rows.values())
        if (row.value !== undefined) found.push({ row, value: row.value });
      return found;
    }
    for (const row of this.#rows.values()) {
      if (row.changedIn <= since || (row.value === undefined && row.bornIn > since)) continue;
      found.push({ row, value: row.value });
    }
    return found;
  }
  /** As `changedAfter`, for the usual case that `since` is the newest completed checkpoint: looks only at dirty rows. */
  dirtyRows(since: number): readonly { readonly row: Row; readonly value: Row["value"] }[] {
    const found: { row: Row; value: Row["value"] }[] = [];
    for (const row of this.#dirty) {
      if (row.changedIn <= since || (row.value === undefined && row.bornIn > since)) continue;
      found.push({ row, value: row.value });
    }
    return found;
  }
  /** A checkpoint of `epoch` completed: rows not changed since are clean; tombstones older than `oldest` are forgotten. */
  completed(epoch: number, oldest: number): void {
    for (const row of this.#dirty) if (row.changedIn <= epoch) this.#dirty.delete(row);
    for (const [key, row] of this.#rows)
      if (row.value === undefined && row.changedIn <= oldest) this.#rows.delete(key);
  }
  rows(): IterableIterator<Row> {
    return this.#rows.values();
  }
}

/** Equal keys (1 and 1.0, 0 and -0) have equal text; a string key costs no encoding. */
export function keyText(key: unknown): string {
  if (typeof key === "string") return `s${key}`;
  if (typeof key === "number") return `n${key === 0 ? 0 : key}`;
  let text = "b";
  for (const byte of encodeKey(key)) text += String.fromCharCode(byte);
  return text;
}

function rowKey(selected: SelectedKey, a: number, b: number, c: number): string {
  return `${a},${b},${c},${selected.text}`;
}
