/**
 * Decoded columns as objects. They are classes for a reason: an object literal with a getter gets a hidden class of its own
 * each time, and hidden classes live in the old generation, where each would keep a whole batch alive until a major collection.
 */
import type { AsciiColumn, ColumnView } from "./batch.ts";
import { fail } from "./fail.ts";
import { absent } from "./plain.ts";
import { type Access, buildRows, newArray } from "./shape.ts";
import type { ColumnPlace } from "./wire.ts";

export interface Column extends ColumnView {
  readonly rows: number;
  /** Position after the column. */
  readonly end: number;
  /** How generated code reads it. */
  access(): Access;
  /** All values; `absent` where there is no property. */
  values(): readonly unknown[];
  /** The column of a field, when this is a struct column with that field. */
  field(name: string): Column | undefined;
}

export class NumberColumn implements Column {
  readonly kind: "float64" | "int32";
  readonly rows: number;
  readonly end: number;
  readonly numbers: Int32Array | Float64Array;
  readonly ascii = undefined;

  constructor(numbers: Int32Array | Float64Array, end: number) {
    this.kind = numbers instanceof Int32Array ? "int32" : "float64";
    this.rows = numbers.length;
    this.end = end;
    this.numbers = numbers;
  }
  access(): Access {
    return { kind: "f", data: this.numbers, ends: undefined };
  }
  values(): readonly unknown[] {
    const { numbers } = this;
    const values = newArray(this.rows);
    for (let i = 0; i < values.length; i++) values[i] = numbers[i];
    return values;
  }
  get(row: number): number | undefined {
    return this.numbers[row];
  }
  field(): undefined {
    return undefined;
  }
}

/** Strings as one text and the positions of their ends in UTF-16 units. */
export class TextColumn implements Column {
  readonly kind = "string";
  readonly numbers = undefined;
  readonly ascii: AsciiColumn | undefined;
  readonly rows: number;
  readonly end: number;
  readonly #ends: Uint32Array;
  readonly #read: () => string;
  #text: string | undefined;

  /** `read` makes the text at first use; its length must be the last end. `ascii`: where it lies, one byte a unit. */
  constructor(ends: Uint32Array, end: number, read: () => string, ascii?: AsciiColumn) {
    this.rows = ends.length;
    this.end = end;
    this.#ends = ends;
    this.#read = read;
    this.ascii = ascii;
  }
  access(): Access {
    return { kind: "s", data: this.#whole(), ends: this.#ends };
  }
  values(): readonly unknown[] {
    const text = this.#whole();
    const ends = this.#ends;
    const values = newArray(this.rows);
    for (let i = 0, from = 0; i < values.length; i++)
      values[i] = text.substring(from, (from = ends[i]!));
    return values;
  }
  get(row: number): string | undefined {
    if (row >= this.rows) return undefined;
    return this.#whole().substring(row === 0 ? 0 : this.#ends[row - 1]!, this.#ends[row]!);
  }
  field(): undefined {
    return undefined;
  }

  #whole(): string {
    if (this.#text === undefined) {
      const text = this.#read();
      if (text.length !== (this.rows === 0 ? 0 : this.#ends[this.rows - 1])) {
        throw fail("DATA_BAD_BATCH", { fields: { at: this.end, reason: "text length" } });
      }
      this.#text = text;
    }
    return this.#text;
  }
}

/** Values that are made all at once, at first use. */
export class ValuesColumn implements Column {
  readonly kind: "string" | "other";
  readonly numbers = undefined;
  readonly ascii = undefined;
  readonly rows: number;
  readonly end: number;
  readonly #optional: boolean;
  readonly #make: () => readonly unknown[];
  #values: readonly unknown[] | undefined;

  /** `optional`: some may be `absent`. */
  constructor(
    rows: number,
    end: number,
    make: () => readonly unknown[],
    kind: "string" | "other" | "optional" = "other",
  ) {
    this.kind = kind === "optional" ? "other" : kind;
    this.rows = rows;
    this.end = end;
    this.#optional = kind === "optional";
    this.#make = make;
  }
  access(): Access {
    return { kind: this.#optional ? "o" : "x", data: this.values(), ends: undefined };
  }
  values(): readonly unknown[] {
    return (this.#values ??= this.#make());
  }
  get(row: number): unknown {
    const value = this.values()[row];
    return value === absent ? undefined : value;
  }
  field(): undefined {
    return undefined;
  }
}

/** Objects, field by field; a field's column is opened at first use. */
export class StructColumn implements Column {
  readonly kind = "other";
  readonly numbers = undefined;
  readonly ascii = undefined;
  readonly rows: number;
  readonly end: number;
  readonly #names: readonly string[];
  readonly #open: (field: number) => Column;
  readonly #place: ColumnPlace;
  readonly #columns: (Column | undefined)[] = [];
  #values: readonly unknown[] | undefined;

  constructor(
    names: readonly string[],
    extent: { readonly rows: number; readonly end: number },
    place: ColumnPlace,
    open: (field: number) => Column,
  ) {
    this.#names = names;
    this.rows = extent.rows;
    this.end = extent.end;
    this.#place = place;
    this.#open = open;
  }
  access(): Access {
    return { kind: "x", data: this.values(), ends: undefined };
  }
  values(): readonly unknown[] {
    return (this.#values ??= buildRows(
      this.#names,
      this.rows,
      this.#names.map((_, i) => this.#column(i).access()),
      () => this.#place.tryCompile(),
    ));
  }
  get(row: number): unknown {
    return this.values()[row];
  }
  field(name: string): Column | undefined {
    const i = this.#names.indexOf(name);
    return i === -1 ? undefined : this.#column(i);
  }

  #column(i: number): Column {
    return (this.#columns[i] ??= this.#open(i));
  }
}
