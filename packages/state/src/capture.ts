/**
 * What a table contributes to one snapshot: rows encoded as they were at the barrier, a few at a time while records go on.
 *
 * SNC-1  A row is taken as it was when the epoch closed: `step` takes those nobody touched since, `keep` the others before they change.
 * SNC-2  A row is taken at most once. Incremental: rows changed after the base, tombstones of rows that the base may hold.
 *        Full: every live row.
 */
import { ByteWriter, type TypeNode, type ValueCodec, valueCodec } from "@millrace/data";
import type { TableDeclaration } from "@millrace/spi";
import type { Columns } from "./columns.ts";
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

/** A run is closed when it passes this: its memory is given away as it is, and to make it larger would take a copy in one go. */
const runBytes = 1024 * 1024;
/** Runs that make a segment together: what is built of them fits in memory. */
const runsPerPart = 64;
/** A step ends when it has encoded this, however few rows that were. */
const stepBytes = 64 * 1024;

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
  readonly #columns: Columns | undefined;
  #out = new ByteWriter(1_024);
  #rows = new IntList();
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
    this.#columns = table.encoderOf(table.type);
  }

  /** Takes the next rows. True when there are more. */
  step(rows: number): boolean {
    const lists = this.#lists;
    const out = this.#out;
    const enough = out.length + stepBytes;
    for (let i = 0; i < rows && out === this.#out && out.length < enough; i++) {
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

  /** All rows of the snapshot, after `step` has said that there are no more: runs by the segment that they are to be in. */
  take(): readonly (readonly RowRun[])[] {
    this.#close(1_024);
    const parts = Math.ceil(this.#runs.length / runsPerPart);
    return Array.from({ length: parts }, (_, i) =>
      this.#runs.slice(i * runsPerPart, (i + 1) * runsPerPart),
    );
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
      const lengthAt = out.length;
      out.u8(0);
      if (this.#columns?.tryEncode(out, slot) !== true) {
        this.#codec ??= valueCodec(this.schema.type);
        this.#codec.write(out, table.valueAt(slot));
      }
      const length = out.length - lengthAt - 1;
      if (length + 1 < 128) out.buffer[lengthAt] = length + 1;
      else {
        // Its length takes more than the byte that was left for it.
        const value = out.buffer.slice(lengthAt + 1, out.length);
        out.reset(lengthAt);
        out.varint(length + 1);
        out.raw(value);
      }
    }
    this.#rows.push(start);
    this.#rows.push(out.length);
    this.#rows.push(group);
    this.#rows.push(keyAt);
    this.#rows.push(keyAt + key.length);
    if (out.length > runBytes) this.#close(runBytes + stepBytes);
  }
  /** The next run begins with so much room. */
  #close(bytes: number): void {
    if (this.#rows.length === 0) return;
    this.#runs.push({
      bytes: this.#out.buffer.subarray(0, this.#out.length),
      rows: this.#rows.items,
    });
    this.#out = new ByteWriter(bytes);
    this.#rows = new IntList();
  }
}
