/**
 * One table in memory: rows addressed by (key, a, b, c), their values in columns, with the bookkeeping that incremental snapshots need.
 *
 * TBL-1  Every change of a row passes `#change` first: it is where a snapshot that still needs the row as it was takes it (SNC-1),
 *        and where the row is noted as changed in this epoch.
 * TBL-2  A barrier costs O(1): it starts a new list of changed rows.
 * TBL-3  A deleted row stays as a tombstone until a snapshot that holds the tombstone has completed; one born in the same epoch
 *        leaves nothing.
 * TBL-4  A value that is not of the table's type is refused when it is put, not when it is stored.
 */
import { checkValue, inferType, joinTypes, type TypeNode } from "@millrace/data";
import type { TableDeclaration } from "@millrace/spi";
import { Capture, rowState } from "./capture.ts";
import { Columns } from "./columns.ts";
import { IntList } from "./int-list.ts";
import { grown, type KeyDirectory } from "./key-directory.ts";
import { hashOfRow, SlotIndex, type SlotOwner } from "./slot-index.ts";

const { free, live, tombstone } = rowState;

/** Lists of changed rows that are kept apart. */
const maxClosed = 4;

/** Rows changed in one epoch; a row may be in the lists of several. */
interface Changed {
  readonly epoch: number;
  readonly slots: IntList;
}

export class Table implements SlotOwner {
  readonly name: string;
  readonly origin: TableDeclaration["origin"];
  readonly keys: KeyDirectory;
  #type: TypeNode | undefined;
  #columns: Columns | undefined;
  readonly #index = new SlotIndex(this);
  /** Key id, namespace, state, and the epochs of the last change and of birth (0: restored), by slot. */
  key = new Int32Array(16);
  a = new Float64Array(16);
  b = new Float64Array(16);
  c = new Float64Array(16);
  state = new Uint8Array(16);
  changed = new Uint32Array(16);
  born = new Uint32Array(16);
  /** Epoch of the last snapshot that took the row. */
  taken = new Uint32Array(16);
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
  /** What `matches` compares with. */
  #wanted = { key: 0, a: 0, b: 0, c: 0 };

  constructor(declaration: TableDeclaration, keys: KeyDirectory) {
    this.name = declaration.name;
    this.origin = declaration.origin;
    this.keys = keys;
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
    for (let slot = 0; slot < this.#slots; slot++) if (this.state[slot] === live) yield slot;
  }
  /** The type that a restored checkpoint recorded for an inferred table. */
  widen(type: TypeNode): void {
    if (this.origin === "inferred")
      this.#type = this.#type === undefined ? type : joinTypes(this.#type, type);
  }

  get(a: number, b: number, c: number): unknown {
    const slot = this.#find(a, b, c);
    return slot < 0 || this.state[slot] !== live ? undefined : this.valueAt(slot);
  }
  put(a: number, b: number, c: number, value: unknown): void {
    const fits = this.#columns?.fits(value) === true;
    const columns = fits ? this.#columns : this.#admit(value);
    let slot = this.#find(a, b, c);
    if (slot < 0) slot = this.#create(a, b, c, this.#epoch);
    else this.#change(slot);
    if (fits) columns?.writeFitting(slot, value);
    else columns?.write(slot, value);
    if (this.state[slot] === live) return;
    this.state[slot] = live;
    this.#live += 1;
  }
  delete(a: number, b: number, c: number): void {
    const slot = this.#find(a, b, c);
    if (slot < 0 || this.state[slot] !== live) return;
    this.#change(slot);
    this.#columns?.clear(slot);
    this.#live -= 1;
    if (this.born[slot] === this.#epoch) this.#release(slot);
    else this.state[slot] = tombstone;
  }
  valueAt(slot: number): unknown {
    return this.#columns?.read(slot);
  }

  // ── restore ────────────────────────────────────────────────────────────────────────────────

  /** A row of a segment, for the selected key. Segments come in order: a later row replaces an earlier one. */
  restore(a: number, b: number, c: number, value: { readonly current: unknown } | undefined): void {
    let slot = this.#find(a, b, c);
    if (value === undefined) {
      if (slot >= 0) this.#release(slot);
      if (slot >= 0) this.#live -= 1;
      return;
    }
    const columns = this.#columns ?? this.#admit(value.current);
    if (slot < 0) {
      slot = this.#create(a, b, c, 0);
      this.state[slot] = live;
      this.#live += 1;
    }
    columns.write(slot, value.current);
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
    this.#capture = new Capture(this, { since, epoch: closing.epoch, lists });
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
      if (this.state[slot] === tombstone && this.changed[slot]! <= changes.epoch)
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
        if (this.changed[changed.at(i)]! <= epoch) slots.push(changed.at(i));
    }
    return { epoch: closed.at(-1)?.epoch ?? 0, slots };
  }

  matches(slot: number): boolean {
    const wanted = this.#wanted;
    return (
      this.key[slot] === wanted.key &&
      this.a[slot] === wanted.a &&
      this.b[slot] === wanted.b &&
      this.c[slot] === wanted.c
    );
  }

  // ── rows ───────────────────────────────────────────────────────────────────────────────────

  #find(a: number, b: number, c: number): number {
    const wanted = this.#wanted;
    wanted.key = this.keys.selected;
    wanted.a = a;
    wanted.b = b;
    wanted.c = c;
    return this.#index.find(hashOfRow(wanted.key, a, b, c));
  }
  #create(a: number, b: number, c: number, epoch: number): number {
    const slot = this.#free.length > 0 ? this.#free.pop() : this.#slots++;
    if (slot >= this.key.length) this.#grow();
    const id = this.keys.selected;
    this.key[slot] = id;
    this.a[slot] = a;
    this.b[slot] = b;
    this.c[slot] = c;
    this.born[slot] = epoch;
    // A slot used before in this epoch is in the list already.
    if (epoch > 0 && this.changed[slot] !== epoch) this.#changes.slots.push(slot);
    this.changed[slot] = epoch;
    this.keys.retain(id);
    this.#index.insert(hashOfRow(id, a, b, c), slot);
    return slot;
  }
  #change(slot: number): void {
    const capture = this.#capture;
    if (capture !== undefined) capture.keep(slot);
    if (this.changed[slot] === this.#epoch) return;
    this.changed[slot] = this.#epoch;
    this.#changes.slots.push(slot);
  }
  #release(slot: number): void {
    const capture = this.#capture;
    if (capture !== undefined) capture.keep(slot);
    this.state[slot] = free;
    this.#columns?.clear(slot);
    this.#index.remove(
      hashOfRow(this.key[slot]!, this.a[slot]!, this.b[slot]!, this.c[slot]!),
      slot,
    );
    this.keys.release(this.key[slot]!);
    this.#free.push(slot);
  }
  #grow(): void {
    const capacity = this.key.length * 2;
    this.key = grown(this.key, new Int32Array(capacity));
    this.a = grown(this.a, new Float64Array(capacity));
    this.b = grown(this.b, new Float64Array(capacity));
    this.c = grown(this.c, new Float64Array(capacity));
    this.state = grown(this.state, new Uint8Array(capacity));
    this.changed = grown(this.changed, new Uint32Array(capacity));
    this.born = grown(this.born, new Uint32Array(capacity));
    this.taken = grown(this.taken, new Uint32Array(capacity));
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
    const columns = new Columns(type);
    columns.grow(this.key.length);
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
