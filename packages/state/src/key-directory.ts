/**
 * The keys of one operator, each once, by number: rows of all its tables name a key by its id.
 *
 * DIR-1  Equal keys (1 and 1.0, 0 and -0) have one id, different ones different ids.
 * DIR-2  An id is given away again only when no row holds it, it is not the selected one, and no batch whose keys were looked up may
 *        still name it.
 * DIR-3  A batch's keys are looked up together: first all places in the index, then all comparisons, so that the loads of many keys wait
 *        side by side. What was not at the first place that the index gave is looked up by itself.
 *
 *   id → number    Float64, when some key is a number
 *   id → place     in the arena, in words of 4 bytes; 0 for a number     id → hash    of what lies in the arena
 *   id → rows      a byte: 0 … 253, `many` (then in a map), `nobody`     arena        { length, canonical bytes } at words of 4
 */
import {
  type AsciiColumn,
  decodeKey,
  encodeKey,
  hashBytes,
  hashKey,
  keyGroupOf,
  stringTag,
} from "@millrace/data";
import { grown, roomFor } from "./growing.ts";
import { IntList } from "./int-list.ts";
import { SlotIndex, type SlotOwner } from "./slot-index.ts";

const none = -1;
const many = 254;
const nobody = 255;
/** A longer key has its length in four bytes behind this one. */
const longKey = 255;
const word = 4;

/** Where a key lies, if somebody wants to see it. */
export interface KeySource {
  get(row: number): unknown;
}

export class KeyDirectory implements SlotOwner {
  readonly #maxParallelism: number;
  readonly #index = new SlotIndex(this);
  #numbers: Float64Array | undefined;
  #at: Uint32Array | undefined;
  #hashes: Int32Array | undefined;
  #rows = new Uint8Array(16);
  readonly #manyRows = new Map<number, number>();
  /** Ids to be given away again; those of `#limbo` once no batch names them. */
  #free = new IntList();
  #limbo = new IntList();
  #next = 0;
  #arena = new Uint8Array(1_024);
  #view = new DataView(this.#arena.buffer);
  #arenaEnd = word;
  #garbage = 0;

  selected = none;
  /** The selected key, if it was selected by itself or is a scalar that has been asked for. */
  #selectedKey: unknown;
  /** Else where it lies, if it came with a batch. */
  #source: KeySource | undefined;
  #sourceRow = 0;
  /** Counts lookups of batches: ids of an older one may have been given away. */
  batch = 0;

  constructor(maxParallelism: number) {
    this.#maxParallelism = maxParallelism;
  }
  get size(): number {
    return this.#index.size;
  }
  /** No id is as large. */
  get ids(): number {
    return this.#next;
  }
  /** Bytes that all keys take in the arena, garbage not counted. */
  get bytes(): number {
    return this.#arenaEnd - this.#garbage;
  }
  /** Of all arrays, the index included. */
  get heldBytes(): number {
    const arrays = [this.#numbers, this.#at, this.#hashes, this.#rows, this.#arena];
    return arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), this.#index.bytes);
  }

  /** Makes `key` the selected one; true when no row held it. Throws `DATA_BAD_KEY`. */
  select(key: unknown): boolean {
    if (key === this.#selectedKey && key !== undefined) return false;
    const hash = hashKey(key) | 0;
    this.endBatch();
    return this.selectHashed(key, hash);
  }
  /** As `select`, of an ASCII string whose canonical bytes are [from, to). */
  selectAscii(bytes: Uint8Array, from: number, to: number): void {
    this.endBatch();
    const hash = hashBytes(bytes, from, to) | 0;
    const index = this.#index;
    let id = index.first(hash);
    while (
      id >= 0 &&
      !(
        !this.#isNumber(id) &&
        this.#hashes![id] === hash &&
        this.#holds(this.#at![id]! * word, bytes, from, to)
      )
    )
      id = index.next();
    if (id !== this.selected || id < 0) {
      this.leave();
      this.selected = id < 0 ? this.#addBytes(bytes, from, to, hash) : id;
    }
    this.#selectedKey = undefined;
    this.#source = undefined;
  }
  /** The same for a key whose hash is known. */
  selectHashed(key: unknown, hash: number): boolean {
    const found = this.#find(key, hash);
    if (found < 0 || found !== this.selected) {
      this.leave();
      this.selected = found < 0 ? this.#add(key, hash) : found;
    }
    this.#selectedKey = typeof key === "object" ? undefined : key;
    this.#source = undefined;
    return found < 0;
  }
  /** As `select`, of a key that some row holds. */
  selectId(id: number): void {
    // Its batch may be gone.
    this.#source = undefined;
    if (id === this.selected) return;
    this.leave();
    this.selected = id;
    this.#selectedKey = undefined;
  }
  /** The same for an id that was looked up for a row of a batch; false when it is nobody's any more. */
  trySelectRow(id: number, source: KeySource, row: number): boolean {
    if (id < 0 || this.#rows[id] === nobody) return false;
    if (id !== this.selected) {
      this.leave();
      this.selected = id;
    }
    this.#selectedKey = undefined;
    this.#source = source;
    this.#sourceRow = row;
    return true;
  }
  /** The key that was selected goes when no row came of it. */
  leave(): void {
    const before = this.selected;
    this.selected = none;
    this.#selectedKey = undefined;
    if (before !== none && this.#rows[before] === 0) this.#forget(before);
  }
  /** An object or array is a fresh one, or the batch's: it is not in the user's hands. */
  get selectedKey(): unknown {
    if (this.#selectedKey !== undefined) return this.#selectedKey;
    const key =
      this.#source === undefined ? this.keyOf(this.selected) : this.#source.get(this.#sourceRow);
    if (typeof key !== "object") this.#selectedKey = key;
    return key;
  }
  /** False when the id has been given back. */
  knows(id: number): boolean {
    return this.#rows[id] !== nobody;
  }
  groupOf(id: number): number {
    return keyGroupOf(this.hashOf(id) >>> 0, this.#maxParallelism);
  }
  hashOf(id: number): number {
    return this.#isNumber(id) ? hashKey(this.#numbers?.[id]) | 0 : this.#hashes![id]!;
  }
  keyOf(id: number): unknown {
    return this.#isNumber(id) ? this.#numbers?.[id] : decodeKey(new Uint8Array(this.bytesOf(id)));
  }
  /** Canonical bytes; valid until the next change of the directory. */
  bytesOf(id: number): Uint8Array {
    if (this.#isNumber(id)) return encodeKey(this.#numbers?.[id]);
    const at = this.#at![id]! * word;
    const from = at + headOf(this.#arena[at]!);
    return this.#arena.subarray(from, from + this.#lengthAt(at));
  }
  retain(id: number): void {
    const rows = this.#rows[id]!;
    if (rows < many) this.#rows[id] = rows + 1;
    if (rows + 1 === many) this.#manyRows.set(id, many);
    else if (rows === many) this.#manyRows.set(id, this.#manyRows.get(id)! + 1);
  }
  release(id: number): void {
    const rows = this.#rows[id]!;
    if (rows < many) {
      this.#rows[id] = rows - 1;
      if (rows === 1 && id !== this.selected) this.#forget(id);
      return;
    }
    const left = this.#manyRows.get(id)! - 1;
    this.#manyRows.set(id, left);
    if (left >= many) return;
    this.#manyRows.delete(id);
    this.#rows[id] = left;
  }

  // ── batches ────────────────────────────────────────────────────────────────────────────────

  /** Ids of the number keys in rows [from, to), -1 where there is none yet. */
  lookUpNumbers(
    hashes: Uint32Array,
    keys: Float64Array | Int32Array,
    rows: { readonly from: number; readonly to: number },
    ids: Int32Array,
  ): void {
    const { from, to } = rows;
    this.#begin(hashes, from, to, ids);
    const numbers = this.#numbers ?? noNumbers;
    const at = this.#at;
    for (let i = from; i < to; i++) {
      const id = ids[i - from]!;
      const key = keys[i]!;
      if (id < 0 || numbers[id] !== key || (at !== undefined && at[id] !== 0))
        ids[i - from] = this.#findNumber(key, hashes[i]! | 0);
    }
  }
  /** The same for strings that are all ASCII. */
  lookUpText(
    hashes: Uint32Array,
    text: AsciiColumn,
    rows: { readonly from: number; readonly to: number },
    ids: Int32Array,
  ): void {
    const { from, to } = rows;
    this.#begin(hashes, from, to, ids);
    const own = this.#hashes;
    if (own === undefined) {
      ids.fill(none, 0, to - from);
      return;
    }
    const { bytes, ends } = text;
    const wanted = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = text.from + (from === 0 ? 0 : ends[from - 1]!);
    for (let i = from; i < to; i++) {
      const end = text.from + ends[i]!;
      const hash = hashes[i]! | 0;
      const id = ids[i - from]!;
      if (id < 0 || own[id] !== hash || !this.#holdsAscii(id, wanted, start, end - start))
        ids[i - from] = this.#findAscii(hash, wanted, start, end - start);
      start = end;
    }
  }
  #begin(hashes: Uint32Array, from: number, to: number, ids: Int32Array): void {
    this.endBatch();
    this.#index.guess(hashes, from, to, ids);
  }
  /** No ids of a batch are held any more: those that were given back meanwhile can be given away. */
  endBatch(): void {
    this.batch += 1;
    const limbo = this.#limbo;
    if (limbo.length === 0) return;
    if (this.#free.length === 0) {
      this.#limbo = this.#free;
      this.#free = limbo;
    } else while (limbo.length > 0) this.#free.push(limbo.pop());
  }

  // ── one key ────────────────────────────────────────────────────────────────────────────────

  #isNumber(id: number): boolean {
    return this.#at === undefined || this.#at[id] === 0;
  }
  #find(key: unknown, hash: number): number {
    if (typeof key === "number") return this.#findNumber(key, hash);
    const index = this.#index;
    let id = index.first(hash);
    let bytes: Uint8Array | undefined;
    for (; id >= 0; id = index.next()) {
      if (this.#isNumber(id) || this.#hashes![id] !== hash) continue;
      const at = this.#at![id]! * word;
      if (typeof key === "string" && this.#holdsText(at, key)) return id;
      bytes ??= encodeKey(key);
      if (this.#holds(at, bytes, 0, bytes.length)) return id;
    }
    return none;
  }
  #findNumber(key: number, hash: number): number {
    const index = this.#index;
    let id = index.first(hash);
    while (id >= 0 && !(this.#isNumber(id) && this.#numbers?.[id] === key)) id = index.next();
    return id;
  }
  /** Of a string of ASCII that lies at `at` of `wanted`. */
  #findAscii(hash: number, wanted: DataView, at: number, length: number): number {
    const index = this.#index;
    let id = index.first(hash);
    while (id >= 0 && !(this.#hashes![id] === hash && this.#holdsAscii(id, wanted, at, length)))
      id = index.next();
    return id;
  }
  #holdsAscii(id: number, wanted: DataView, at: number, length: number): boolean {
    const place = this.#at![id]! * word;
    // A number is at 0, where there is none of that length.
    const from = place + (length < longKey - 1 ? 1 : 1 + word);
    return (
      (length < longKey - 1
        ? this.#arena[place] === length + 1
        : place !== 0 && this.#lengthAt(place) === length + 1) &&
      sameText(this.#view, from, wanted, at, length) &&
      this.#arena[from + length] === stringTag
    );
  }
  /** Only of strings whose units are bytes below 128, which are their own UTF-8. */
  #holdsText(at: number, text: string): boolean {
    const { length } = text;
    if (this.#lengthAt(at) !== length + 1) return false;
    const arena = this.#arena;
    const from = at + headOf(arena[at]!);
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127 || arena[from + i] !== unit) return false;
    }
    return arena[from + length] === stringTag;
  }
  #holds(at: number, bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#lengthAt(at) !== to - from) return false;
    const arena = this.#arena;
    const before = at + headOf(arena[at]!) - from;
    for (let i = from; i < to; i++) if (bytes[i] !== arena[before + i]) return false;
    return true;
  }
  #add(key: unknown, hash: number): number {
    // Throws what it has to say of such a key.
    if (key !== key) hashKey(key);
    if (typeof key !== "number") {
      const bytes = encodeKey(key);
      return this.#addBytes(bytes, 0, bytes.length, hash);
    }
    const id = this.#newId();
    this.#numbers ??= new Float64Array(this.#rows.length);
    this.#numbers[id] = key === 0 ? 0 : key;
    if (this.#at !== undefined) this.#at[id] = 0;
    this.#index.insert(hash, id);
    return id;
  }
  #addBytes(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const length = to - from;
    const id = this.#newId();
    this.#at ??= new Uint32Array(this.#rows.length);
    this.#hashes ??= new Int32Array(this.#rows.length);
    this.#room(placeOf(length));
    const at = this.#arenaEnd;
    const arena = this.#arena;
    arena[at] = Math.min(length, longKey);
    if (length >= longKey) this.#view.setUint32(at + 1, length, true);
    const before = at + headOf(arena[at]!) - from;
    if (length < shortKey) for (let i = from; i < to; i++) arena[before + i] = bytes[i]!;
    else arena.set(bytes.subarray(from, to), before + from);
    this.#at[id] = at / word;
    this.#hashes[id] = hash;
    this.#arenaEnd += placeOf(length);
    this.#index.insert(hash, id);
    return id;
  }
  /** One that no row holds. */
  #newId(): number {
    const id = this.#free.length > 0 ? this.#free.pop() : this.#next++;
    if (id >= this.#rows.length) this.#grow(id + 1);
    this.#rows[id] = 0;
    return id;
  }
  #forget(id: number): void {
    this.#index.remove(this.hashOf(id), id);
    if (!this.#isNumber(id)) {
      const at = this.#at![id]! * word;
      const place = placeOf(this.#lengthAt(at));
      // A key that came last, as one that was only asked for, gives its bytes back.
      if (at + place === this.#arenaEnd) this.#arenaEnd -= place;
      else this.#garbage += place;
    }
    this.#rows[id] = nobody;
    this.#limbo.push(id);
  }
  #lengthAt(at: number): number {
    const length = this.#arena[at]!;
    return length < longKey ? length : this.#view.getUint32(at + 1, true);
  }
  /** Room for so many more bytes: by moving the live keys together when half is garbage, else by growing. */
  #room(bytes: number): void {
    const wanted = this.#arenaEnd + bytes;
    if (wanted <= this.#arena.length) return;
    if (wanted > word * 0xffff_ffff) throw new RangeError("keys of one subtask take over 16 GB");
    if (this.#garbage * 2 < this.#arenaEnd) {
      this.#arena = grown(this.#arena, roomFor(wanted, this.#arena.length));
    } else {
      const arena = new Uint8Array(2 * (this.bytes + bytes));
      let end = word;
      for (let id = 0; id < this.#next; id++) {
        if (this.#isNumber(id) || this.#rows[id] === nobody) continue;
        const at = this.#at![id]! * word;
        const place = placeOf(this.#lengthAt(at));
        arena.set(this.#arena.subarray(at, at + place), end);
        this.#at![id] = end / word;
        end += place;
      }
      this.#arena = arena;
      this.#arenaEnd = end;
      this.#garbage = 0;
    }
    this.#view = new DataView(this.#arena.buffer, 0, this.#arena.length);
  }
  #grow(wanted: number): void {
    const capacity = roomFor(wanted, this.#rows.length);
    this.#rows = grown(this.#rows, capacity);
    if (this.#numbers !== undefined) this.#numbers = grown(this.#numbers, capacity);
    if (this.#at !== undefined) this.#at = grown(this.#at, capacity);
    if (this.#hashes !== undefined) this.#hashes = grown(this.#hashes, capacity);
  }
}

const noNumbers = new Float64Array(0);
/** Copied byte by byte: a call to the runtime takes longer. */
const shortKey = 40;

/** Bytes before the key, told by the first. */
function headOf(first: number): number {
  return first < longKey ? 1 : 1 + word;
}
/** Bytes that a key of this length takes, whole words. */
function placeOf(length: number): number {
  return (headOf(Math.min(length, longKey)) + length + word - 1) & -word;
}

/**
 * Eight bytes at a time, as floating-point numbers: ASCII is never a NaN nor -0, and what it is compared with is a string's UTF-8 (its tag
 * is looked at too), in which the bytes of -0 can't stand.
 */
function sameText(x: DataView, xAt: number, y: DataView, yAt: number, length: number): boolean {
  if (length < 8) {
    for (let i = 0; i < length; i++) if (x.getUint8(xAt + i) !== y.getUint8(yAt + i)) return false;
    return true;
  }
  const last = length - 8;
  for (let i = 0; i < last; i += 8)
    if (x.getFloat64(xAt + i, true) !== y.getFloat64(yAt + i, true)) return false;
  return x.getFloat64(xAt + last, true) === y.getFloat64(yAt + last, true);
}
