/**
 * What a table contributes to one snapshot: rows encoded as they were at the barrier, a few at a time while records go on.
 *
 * SNC-1  A row is taken as it was when the epoch closed: `step` takes those nobody touched since, `keep` the others before they change.
 * SNC-2  A row is taken at most once. Incremental: rows changed after the base, tombstones of rows that the base may hold.
 *        Full: every live row.
 */
import { ByteWriter, type TypeNode, type ValueCodec, valueCodec } from "@millrace/data";
import type { TableDeclaration } from "@millrace/spi";
import { IntList } from "./int-list.ts";
import type { Table } from "./table.ts";

/** What lies in a slot of a table. */
export const rowState = { free: 0, live: 1, tombstone: 2 } as const;
const { live, tombstone } = rowState;

/** A table as segments and manifests name it. */
export interface TableSchema {
  readonly name: string;
  readonly type: TypeNode;
  readonly origin: TableDeclaration["origin"];
}

/** Encoded rows (segment.ts has the grammar) in any order, and five integers on each: see `rowFields`. */
export interface RowRun {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: Int32Array<ArrayBuffer>;
}
/** Per row: where it starts and ends in `bytes`, its key group, where its key starts and ends. */
export const rowFields = 5;

/** A run is closed when it passes this, so that its positions are integers and what is built of it fits in memory. */
const runBytes = 64 * 1024 * 1024;

export class Capture {
  readonly schema: TableSchema;
  readonly #table: Table;
  readonly #since: number;
  readonly #epoch: number;
  /** Lists of changed rows; undefined: every slot up to `#slots`. */
  #lists: IntList[] | undefined;
  readonly #slots: number;
  /** A bit for each slot: it has been taken. */
  readonly #taken: Uint8Array;
  #at = 0;
  #codec: ValueCodec | undefined;
  #out = new ByteWriter(1_024);
  #rows = new IntList();
  readonly #value = new ByteWriter(256);
  readonly #runs: RowRun[] = [];

  constructor(
    table: Table,
    of: {
      readonly since: number;
      readonly epoch: number;
      readonly lists: readonly IntList[] | undefined;
    },
  ) {
    this.#table = table;
    this.#since = of.since;
    this.#epoch = of.epoch;
    this.#lists = of.lists === undefined ? undefined : [...of.lists];
    this.#slots = table.slots;
    this.#taken = new Uint8Array((table.slots + 7) >>> 3);
    this.schema = { name: table.name, type: table.type, origin: table.origin };
  }

  /** Takes the next rows. True when there are more. */
  step(rows: number): boolean {
    const lists = this.#lists;
    for (let i = 0; i < rows; i++) {
      if (lists === undefined) {
        if (this.#at >= this.#slots) return false;
        this.keep(this.#at++);
        continue;
      }
      const list = lists[0];
      if (list === undefined) return false;
      if (this.#at < list.length) this.keep(list.at(this.#at++));
      else {
        lists.shift();
        this.#at = 0;
      }
    }
    return true;
  }

  /** Takes this row now, if it belongs to the snapshot and has not been taken. */
  keep(slot: number): void {
    const table = this.#table;
    const changed = table.changedIn(slot);
    if (changed > this.#epoch || this.#isTaken(slot)) return;
    const state = table.stateOf(slot);
    const isTombstone = state === tombstone;
    if (this.#since < 0 ? state !== live : changed <= this.#since) return;
    if (state !== live && !(isTombstone && table.bornIn(slot) <= this.#since)) return;
    this.#taken[slot >>> 3]! |= 1 << (slot & 7);
    this.#encode(slot, isTombstone);
  }
  #isTaken(slot: number): boolean {
    return ((this.#taken[slot >>> 3]! >>> (slot & 7)) & 1) === 1;
  }

  /** All rows of the snapshot, after `step` has said that there are no more. */
  take(): readonly RowRun[] {
    this.#close();
    return this.#runs;
  }

  #encode(slot: number, isTombstone: boolean): void {
    const table = this.#table;
    const out = this.#out;
    const id = table.keyAt(slot);
    const group = table.keys.groupOf(id);
    const start = out.length;
    out.varint(group);
    const key = table.keys.bytesOf(id);
    out.varint(key.length);
    const keyAt = out.length;
    out.raw(key);
    out.f64(table.aAt(slot));
    out.f64(table.bAt(slot));
    out.f64(table.cAt(slot));
    if (isTombstone) out.varint(0);
    else {
      this.#codec ??= valueCodec(this.schema.type);
      const value = this.#value;
      value.reset();
      this.#codec.write(value, table.valueAt(slot));
      out.varint(value.length + 1);
      out.raw(value.buffer.subarray(0, value.length));
    }
    this.#rows.push(start);
    this.#rows.push(out.length);
    this.#rows.push(group);
    this.#rows.push(keyAt);
    this.#rows.push(keyAt + key.length);
    if (out.length > runBytes) this.#close();
  }
  #close(): void {
    if (this.#rows.length === 0) return;
    this.#runs.push({ bytes: this.#out.finish(), rows: this.#rows.finish() });
    this.#out = new ByteWriter(1_024);
    this.#rows = new IntList();
  }
}
