/**
 * One table in memory: rows addressed by (key, a, b, c), their values in columns, with the bookkeeping that incremental snapshots need.
 *
 * TBL-1  Every change of a row passes `#change` first: it is where a snapshot that still needs the row as it was takes it (SNC-1),
 *        and where the row is noted as changed in this epoch.
 * TBL-2  A barrier costs O(1): it starts a new list of changed rows.
 * TBL-3  A deleted row stays as a tombstone until a snapshot that holds the tombstone has completed; one born in the same epoch
 *        leaves nothing.
 * TBL-4  A value that is not of the table's type is refused when it is put, not when it is stored.
 *
 * Of a table with one row a key the slot is the key's id. Others have slots of their own, the address of each row, and an index.
 */
import { checkValue, inferType, joinTypes, type TypeNode } from "@millrace/data";
import type { BatchKeys, BatchRows, NumberCell, StateTable, TableDeclaration } from "@millrace/spi";
import { LookedUpKeys } from "./batch-keys.ts";
import { Capture, rowState } from "./capture.ts";
import { Cell } from "./cell.ts";
import { Columns } from "./columns.ts";
import { grown, roomFor } from "./growing.ts";
import { IntList } from "./int-list.ts";
import type { KeyDirectory } from "./key-directory.ts";
import type { PartName } from "./layout.ts";
import { hashOfRow, SlotIndex, type SlotOwner } from "./slot-index.ts";

const { free, live, tombstone } = rowState;

/** Lists of changed rows that are kept apart. */
const maxClosed = 4;
/** A mark is the epoch of the last change and, in the two lowest bits, what lies in the slot. */
const stateBits = 2;
const stateMask = 3;

/** Rows changed in one epoch; a row may be in the lists of several. */
interface Changed {
  readonly epoch: number;
  readonly slots: IntList;
}
/** What a table needs of the backend that it is in. */
export interface TableHome {
  readonly uid: string;
  readonly keys: KeyDirectory;
  /** `STATE_NOT_KEYED` */
  notKeyed(): Error;
  /** Called with a row before it changes, while changes may have to be taken back. */
  remember: ((table: Table, a: number, b: number, c: number) => void) | undefined;
}

export class Table<V = unknown> implements StateTable<V>, SlotOwner {
  readonly name: string;
  readonly origin: TableDeclaration["origin"];
  readonly keys: KeyDirectory;
  readonly #home: TableHome;
  #type: TypeNode | undefined;
  #columns: Columns | undefined;
  /** Undefined: the slot is the key's id. */
  readonly #index: SlotIndex | undefined;
  #marks = new Uint32Array(16);
  /** Epoch of birth; 0: restored. */
  #born = new Uint32Array(16);
  /** Key id and namespace by slot, in a table with an index; the last two once they are not 0. */
  #key = new Int32Array(0);
  #a = new Float64Array(0);
  #b: Float64Array | undefined;
  #c: Float64Array | undefined;
  #slots = 0;
  #live = 0;
  readonly #free = new IntList();
  #epoch = 1;
  #changes: Changed = { epoch: 1, slots: new IntList() };
  /** Older ones, in order, back to the newest completed checkpoint. */
  #closed: Changed[] = [];
  /** Rows of completed epochs: their tombstones can go. */
  #sweep: Changed[] = [];
  #capture: Capture | undefined;

  constructor(declaration: TableDeclaration, home: TableHome) {
    this.name = declaration.name;
    this.origin = declaration.origin;
    this.keys = home.keys;
    this.#home = home;
    if (declaration.onePerKey !== true) {
      this.#index = new SlotIndex(this);
      this.#key = new Int32Array(16);
      this.#a = new Float64Array(16);
    }
    if (declaration.origin === "inferred" && declaration.type.kind === "unknown") return;
    this.#type = declaration.type;
    this.#layOut(declaration.type);
  }
  /** Of an inferred table: the join of all values seen so far. */
  get type(): TypeNode {
    return this.#type ?? { kind: "unknown" };
  }
  get size(): number {
    return this.#live;
  }
  /** Slots ever used; rows lie in some of them. */
  get slots(): number {
    return this.#slots;
  }
  /** Slots with rows, in no order. */
  *liveSlots(): Generator<number> {
    for (let slot = 0; slot < this.#slots; slot++) if (this.stateOf(slot) === live) yield slot;
  }
  /** Bytes of all arrays, the index included. */
  get heldBytes(): number {
    const arrays = [this.#marks, this.#born, this.#key, this.#a, this.#b, this.#c];
    const own = arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), 0);
    return own + (this.#index?.bytes ?? 0) + (this.#columns?.heldBytes ?? 0);
  }
  /** The type that a restored checkpoint recorded for an inferred table. */
  widen(type: TypeNode): void {
    if (this.origin === "inferred")
      this.#type = this.#type === undefined ? type : joinTypes(this.#type, type);
  }

  // ── what operators see ─────────────────────────────────────────────────────────────────────

  get(a: number, b: number, c: number): V | undefined {
    const slot = this.#find(a, b, c);
    return slot < 0 || (this.#marks[slot]! & stateMask) !== live ? undefined : this.valueAt(slot);
  }
  put(a: number, b: number, c: number, value: V): void {
    const { remember } = this.#home;
    if (remember !== undefined) remember(this as Table, a, b, c);
    const fits = this.#columns?.fits(value) === true;
    const columns = fits ? this.#columns : this.#admit(value);
    let slot = this.#find(a, b, c);
    if (slot < 0) slot = this.#create(a, b, c, this.#epoch);
    else this.#change(slot);
    if (fits) columns?.writeFitting(slot, value);
    else columns?.write(slot, value);
    if (this.stateOf(slot) === live) return;
    this.#setState(slot, live);
    this.#live += 1;
  }
  delete(a: number, b: number, c: number): void {
    const { remember } = this.#home;
    if (remember !== undefined) remember(this as Table, a, b, c);
    const slot = this.#find(a, b, c);
    if (slot < 0 || this.stateOf(slot) !== live) return;
    this.#change(slot);
    this.#columns?.clear(slot);
    this.#live -= 1;
    if (this.#born[slot] === this.#epoch) this.#release(slot);
    else this.#setState(slot, tombstone);
  }
  find(keys: BatchKeys, rows: BatchRows): number {
    // What may have to be taken back goes row by row.
    if (this.#home.remember !== undefined) return 0;
    if (!(keys instanceof LookedUpKeys)) return this.#findEach(keys, rows);
    const to = keys.lookUp(rows.from, rows.to);
    const found =
      this.#index === undefined
        ? this.#findByKey(keys, rows.from, to, rows.slots)
        : this.#findByIndex(this.#index, keys, { ...rows, to });
    return this.#changeAll(rows.slots, found);
  }
  cell(...path: readonly PartName[]): NumberCell {
    return new Cell(path, () => this.#columns);
  }

  // ── rows by slot ───────────────────────────────────────────────────────────────────────────

  valueAt(slot: number): V {
    return this.#columns?.read(slot) as V;
  }
  /** What encodes values of this type from columns, if anything does. */
  encoderOf(type: TypeNode): Columns | undefined {
    return this.#columns?.encodes(type) === true ? this.#columns : undefined;
  }
  keyAt(slot: number): number {
    return this.#index === undefined ? slot : this.#key[slot]!;
  }
  aAt(slot: number): number {
    return this.#index === undefined ? 0 : this.#a[slot]!;
  }
  bAt(slot: number): number {
    return this.#b === undefined ? 0 : this.#b[slot]!;
  }
  cAt(slot: number): number {
    return this.#c === undefined ? 0 : this.#c[slot]!;
  }
  stateOf(slot: number): number {
    return this.#marks[slot]! & stateMask;
  }
  /** Epoch of the last change; 0: restored. */
  changedIn(slot: number): number {
    return this.#marks[slot]! >>> stateBits;
  }
  bornIn(slot: number): number {
    return this.#born[slot]!;
  }
  hashOf(slot: number): number {
    return hashOfRow(this.keyAt(slot), this.aAt(slot), this.bAt(slot), this.cAt(slot));
  }

  // ── restore ────────────────────────────────────────────────────────────────────────────────

  /** A row of a segment, for the selected key; the value is given away. Segments come in order: a later row replaces an earlier one. */
  restore(a: number, b: number, c: number, value: unknown): void {
    let slot = this.#find(a, b, c);
    const columns = this.#columns ?? this.#admit(value);
    if (slot < 0) {
      slot = this.#create(a, b, c, 0);
      this.#setState(slot, live);
      this.#live += 1;
    }
    columns.adopt(slot, value);
  }
  restoreDeleted(a: number, b: number, c: number): void {
    const slot = this.#find(a, b, c);
    if (slot < 0) return;
    this.#release(slot);
    this.#live -= 1;
  }

  // ── snapshots ──────────────────────────────────────────────────────────────────────────────

  /** Rows changed after `since`: at least as many as a snapshot against it would hold. */
  changedAfter(since: number): number {
    let rows = this.#changes.slots.length;
    for (const { epoch, slots } of this.#closed) if (epoch > since) rows += slots.length;
    return rows;
  }
  /** Closes the epoch: what was changed after `since` (-1: every row) is captured as it is now, from here on. */
  capture(since: number): Capture {
    const closing = this.#changes;
    this.#closed.push(closing);
    if (this.#closed.length > maxClosed) this.#closed = [this.#join(this.#closed)];
    this.#epoch += 1;
    this.#changes = { epoch: this.#epoch, slots: new IntList() };
    const lists =
      since < 0
        ? undefined
        : this.#closed.filter(({ epoch }) => epoch > since).map(({ slots }) => slots);
    this.#capture = new Capture(this as Table, { since, epoch: closing.epoch, lists });
    return this.#capture;
  }
  captured(): void {
    this.#capture = undefined;
  }
  /** A snapshot that closed `epoch` completed: its tombstones can be swept. */
  completed(epoch: number): void {
    for (const changes of this.#closed) if (changes.epoch <= epoch) this.#sweep.push(changes);
    this.#closed = this.#closed.filter((changes) => changes.epoch > epoch);
  }
  /** Forgets up to `rows` rows' tombstones. True when there is more to do. */
  sweep(rows: number): boolean {
    const changes = this.#sweep[0];
    if (changes === undefined) return false;
    for (let i = 0; i < rows && changes.slots.length > 0; i++) {
      const slot = changes.slots.pop();
      if (this.stateOf(slot) === tombstone && this.changedIn(slot) <= changes.epoch)
        this.#release(slot);
    }
    if (changes.slots.length === 0) this.#sweep.shift();
    return this.#sweep.length > 0;
  }

  /** One list for many, when checkpoints keep failing: each row once. */
  #join(closed: readonly Changed[]): Changed {
    const slots = new IntList();
    for (const { epoch, slots: changed } of closed) {
      for (let i = 0; i < changed.length; i++)
        if (this.changedIn(changed.at(i)) <= epoch) slots.push(changed.at(i));
    }
    return { epoch: closed.at(-1)?.epoch ?? 0, slots };
  }

  // ── rows ───────────────────────────────────────────────────────────────────────────────────

  #find(a: number, b: number, c: number): number {
    const id = this.keys.selected;
    if (id < 0) throw this.#home.notKeyed();
    const index = this.#index;
    if (index === undefined) {
      if (a !== 0 || b !== 0 || c !== 0)
        throw new RangeError(`table ${this.name} has one row per key`);
      return id < this.#slots && (this.#marks[id]! & stateMask) !== free ? id : -1;
    }
    return this.#findRow(index, id, a, b, c);
  }
  #findRow(index: SlotIndex, id: number, a: number, b: number, c: number): number {
    let slot = index.first(hashOfRow(id, a, b, c));
    while (
      slot >= 0 &&
      !(
        this.#key[slot] === id &&
        this.#a[slot] === a &&
        this.bAt(slot) === b &&
        this.cAt(slot) === c
      )
    )
      slot = index.next();
    return slot;
  }
  /** Of keys that have to be selected one by one. */
  #findEach(keys: BatchKeys, { from, to, a, slots }: BatchRows): number {
    for (let i = from; i < to; i++) {
      keys.select(i);
      const slot = this.#find(a === undefined ? 0 : a[i]!, 0, 0);
      if (slot < 0 || this.stateOf(slot) !== live) return this.#changeAll(slots, i - from);
      slots[i - from] = slot;
    }
    return this.#changeAll(slots, to - from);
  }
  #findByKey(keys: LookedUpKeys, from: number, to: number, slots: Int32Array): number {
    const { ids } = keys;
    const marks = this.#marks;
    const first = keys.from;
    for (let i = from; i < to; i++) {
      const id = ids[i - first]!;
      // An id that is nobody's any more has no row.
      if (id < 0 || id >= marks.length || (marks[id]! & stateMask) !== live) return i - from;
      slots[i - from] = id;
    }
    return to - from;
  }
  #findByIndex(index: SlotIndex, keys: LookedUpKeys, { from, to, a, slots }: BatchRows): number {
    const { ids } = keys;
    const first = keys.from;
    const marks = this.#marks;
    for (let i = from; i < to; i++) {
      const id = ids[i - first]!;
      if (id < 0) return i - from;
      const slot = this.#findRow(index, id, a === undefined ? 0 : a[i]!, 0, 0);
      if (slot < 0 || (marks[slot]! & stateMask) !== live) return i - from;
      slots[i - from] = slot;
    }
    return to - from;
  }
  /** So many of the rows, up to the first that does not lie in columns. */
  #changeAll(slots: Int32Array, count: number): number {
    const columns = this.#columns;
    if (columns === undefined) return 0;
    const mark = ((this.#epoch << stateBits) | live) >>> 0;
    const marks = this.#marks;
    const regular = columns.areAllRegular;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (!regular && !columns.isRegular(slot)) return i;
      if (marks[slot] !== mark) this.#change(slot);
    }
    return count;
  }
  #create(a: number, b: number, c: number, epoch: number): number {
    const id = this.keys.selected;
    const slot =
      this.#index === undefined ? id : this.#free.length > 0 ? this.#free.pop() : this.#slots;
    if (slot >= this.#slots) this.#slots = slot + 1;
    if (slot >= this.#marks.length) this.#grow();
    if (this.#index !== undefined) this.#setAddress(slot, id, a, b, c);
    this.#born[slot] = epoch;
    // A slot used before in this epoch is in the list already.
    if (epoch > 0 && this.changedIn(slot) !== epoch) this.#changes.slots.push(slot);
    this.#marks[slot] = (epoch << stateBits) >>> 0;
    this.keys.retain(id);
    this.#index?.insert(hashOfRow(id, a, b, c), slot);
    return slot;
  }
  #setAddress(slot: number, id: number, a: number, b: number, c: number): void {
    this.#key[slot] = id;
    this.#a[slot] = a;
    if (b !== 0) this.#b ??= new Float64Array(this.#marks.length);
    if (this.#b !== undefined) this.#b[slot] = b;
    if (c !== 0) this.#c ??= new Float64Array(this.#marks.length);
    if (this.#c !== undefined) this.#c[slot] = c;
  }
  #setState(slot: number, state: number): void {
    this.#marks[slot] = ((this.#marks[slot]! & ~stateMask) | state) >>> 0;
  }
  #change(slot: number): void {
    const mark = this.#marks[slot]!;
    // What was changed in this epoch has passed here before.
    if (mark >>> stateBits === this.#epoch) return;
    const capture = this.#capture;
    if (capture !== undefined) capture.keep(slot);
    this.#marks[slot] = ((this.#epoch << stateBits) | (mark & stateMask)) >>> 0;
    this.#changes.slots.push(slot);
  }
  #release(slot: number): void {
    const capture = this.#capture;
    if (capture !== undefined) capture.keep(slot);
    this.#setState(slot, free);
    this.#columns?.clear(slot);
    const id = this.keyAt(slot);
    if (this.#index !== undefined) {
      this.#index.remove(this.hashOf(slot), slot);
      this.#free.push(slot);
    }
    this.keys.release(id);
  }
  #grow(): void {
    const capacity = roomFor(this.#slots, this.#marks.length);
    this.#marks = grown(this.#marks, capacity);
    this.#born = grown(this.#born, capacity);
    if (this.#index !== undefined) {
      this.#key = grown(this.#key, capacity);
      this.#a = grown(this.#a, capacity);
    }
    if (this.#b !== undefined) this.#b = grown(this.#b, capacity);
    if (this.#c !== undefined) this.#c = grown(this.#c, capacity);
    this.#columns?.grow(capacity);
  }

  // ── types ──────────────────────────────────────────────────────────────────────────────────

  /** Checks, or learns from, a value that does not obviously fit. Throws `DATA_TYPE_MISMATCH`, `DATA_UNENCODABLE`. */
  #admit(value: unknown): Columns {
    if (this.origin !== "inferred") checkValue(this.type, value);
    else if (this.#type?.kind !== "unknown") {
      const seen = widened(inferType(value, undefined));
      this.#type = this.#type === undefined ? seen : joinTypes(this.#type, seen);
    }
    return this.#columns ?? this.#layOut(this.type);
  }
  /** The layout stays as the first value made it; what is learnt later and doesn't fit lies in the side column. */
  #layOut(type: TypeNode): Columns {
    const columns = new Columns(type, `${this.#home.uid}/${this.name}`, this.#marks.length);
    this.#columns = columns;
    return columns;
  }
}

/** Numbers that nobody declared are float64 in state: whether the first ones were whole says nothing of the next. */
function widened(type: TypeNode): TypeNode {
  switch (type.kind) {
    case "int32":
      return { kind: "float64" };
    case "object":
      return {
        kind: "object",
        fields: type.fields.map((field) => ({ ...field, type: widened(field.type) })),
      };
    case "array":
      return { kind: "array", of: widened(type.of) };
    case "nullable":
      return { kind: "nullable", of: widened(type.of) };
    default:
      return type;
  }
}
