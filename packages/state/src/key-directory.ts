/**
 * The keys of one operator, each once, by number: rows of all its tables name a key by its id.
 *
 * DIR-1  Equal keys (1 and 1.0, 0 and -0) have one id, different ones different ids.
 * DIR-2  An id is given away again only when no row holds it and it is not the selected one.
 *
 * Number keys lie in a typed array, all others by their canonical bytes in one arena.
 */
import { decodeKey, encodeKey, hashKey, keyGroupOf } from "@millrace/data";
import { SlotIndex, type SlotOwner } from "./slot-index.ts";

const none = -1;
const smallArena = 1_024;

export class KeyDirectory implements SlotOwner {
  readonly #maxParallelism: number;
  readonly #index = new SlotIndex(this);
  #numbers = new Float64Array(16);
  /** Bytes of the key in the arena: where, and how many; 0 for a number. */
  #at = new Float64Array(16);
  #lengths = new Int32Array(16);
  #hashes = new Int32Array(16);
  #groups = new Uint16Array(16);
  #rows = new Int32Array(16);
  readonly #free: number[] = [];
  #next = 0;
  #arena = new Uint8Array(smallArena);
  #arenaEnd = 0;
  #garbage = 0;
  /** What `matches` compares with. */
  #wanted: unknown;
  #wantedBytes: Uint8Array | undefined;

  selected = none;
  /** The selected key; undefined while it is only known by id. */
  #selectedKey: unknown;

  constructor(maxParallelism: number) {
    this.#maxParallelism = maxParallelism;
  }
  get size(): number {
    return this.#index.size;
  }
  /** Bytes that all keys take, garbage not counted. */
  get bytes(): number {
    return this.#arenaEnd - this.#garbage;
  }

  /** Makes `key` the selected one; true when no row held it. Throws `DATA_BAD_KEY`. */
  select(key: unknown): boolean {
    if (key === this.#selectedKey && key !== undefined) return false;
    const hash = hashKey(key) | 0;
    this.#wanted = key;
    this.#wantedBytes = undefined;
    const found = this.#index.find(hash);
    if (found < 0 || found !== this.selected) {
      this.#leave();
      this.selected = found < 0 ? this.#add(key, hash) : found;
    }
    this.#selectedKey = typeof key === "object" ? undefined : key;
    return found < 0;
  }
  /** As `select`, of a key that some row holds. */
  selectId(id: number): void {
    if (id === this.selected) return;
    this.#leave();
    this.selected = id;
    this.#selectedKey = undefined;
  }
  /** An object or array is a fresh one: it is not the user's, who might change it. */
  get selectedKey(): unknown {
    return this.#selectedKey ?? this.keyOf(this.selected);
  }
  /** False when the id has been given back. */
  knows(id: number): boolean {
    return this.#rows[id]! >= 0;
  }
  groupOf(id: number): number {
    return this.#groups[id]!;
  }
  keyOf(id: number): unknown {
    return this.#lengths[id] === 0 ? this.#numbers[id] : decodeKey(this.bytesOf(id));
  }
  /** Canonical bytes; valid until the next change of the directory. */
  bytesOf(id: number): Uint8Array {
    const length = this.#lengths[id]!;
    if (length === 0) return encodeKey(this.#numbers[id]);
    const at = this.#at[id]!;
    return this.#arena.subarray(at, at + length);
  }
  retain(id: number): void {
    this.#rows[id]! += 1;
  }
  release(id: number): void {
    this.#rows[id]! -= 1;
    if (this.#rows[id] === 0 && id !== this.selected) this.#forget(id);
  }

  matches(id: number): boolean {
    const wanted = this.#wanted;
    const length = this.#lengths[id]!;
    if (typeof wanted === "number") return length === 0 && this.#numbers[id] === wanted;
    if (length === 0) return false;
    const arena = this.#arena;
    const at = this.#at[id]!;
    // A string whose units are bytes below 128 is its own UTF-8; one byte more is the tag.
    if (typeof wanted === "string" && wanted.length === length - 1) {
      let i = 0;
      while (i < length - 1 && arena[at + i] === wanted.charCodeAt(i) && arena[at + i]! < 128) i++;
      if (i === length - 1 && arena[at + i] === stringTag) return true;
    }
    this.#wantedBytes ??= encodeKey(wanted);
    const bytes = this.#wantedBytes;
    if (bytes.length !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[i] !== arena[at + i]) return false;
    return true;
  }

  /** The key that was selected goes when no row came of it. */
  #leave(): void {
    const before = this.selected;
    this.selected = none;
    if (before !== none && this.#rows[before] === 0) this.#forget(before);
  }
  #add(key: unknown, hash: number): number {
    const id = this.#free.pop() ?? this.#next++;
    if (id >= this.#numbers.length) this.#grow(id + 1);
    if (typeof key === "number") {
      this.#numbers[id] = key === 0 ? 0 : key;
      this.#lengths[id] = 0;
    } else {
      const bytes = this.#wantedBytes ?? encodeKey(key);
      this.#room(bytes.length);
      this.#arena.set(bytes, this.#arenaEnd);
      this.#at[id] = this.#arenaEnd;
      this.#lengths[id] = bytes.length;
      this.#arenaEnd += bytes.length;
    }
    this.#hashes[id] = hash;
    this.#groups[id] = keyGroupOf(hash >>> 0, this.#maxParallelism);
    this.#rows[id] = 0;
    this.#index.insert(hash, id);
    return id;
  }
  #forget(id: number): void {
    this.#index.remove(this.#hashes[id]!, id);
    const length = this.#lengths[id]!;
    // A key that came last, as one that was only asked for, gives its bytes back.
    if (length > 0 && this.#at[id]! + length === this.#arenaEnd) this.#arenaEnd -= length;
    else this.#garbage += length;
    this.#rows[id] = -1;
    this.#free.push(id);
  }
  /** Room for `length` more bytes: by moving the live keys together when half is garbage, else by doubling. */
  #room(length: number): void {
    if (this.#arenaEnd + length <= this.#arena.length) return;
    const live = this.bytes + length;
    let capacity = this.#arena.length;
    while (capacity < 2 * live) capacity *= 2;
    const arena = new Uint8Array(capacity);
    if (this.#garbage * 2 < this.#arenaEnd) {
      arena.set(this.#arena.subarray(0, this.#arenaEnd));
    } else {
      let end = 0;
      for (let id = 0; id < this.#next; id++) {
        const bytes = this.#lengths[id]!;
        if (bytes === 0 || this.#rows[id]! < 0) continue;
        const at = this.#at[id]!;
        arena.set(this.#arena.subarray(at, at + bytes), end);
        this.#at[id] = end;
        end += bytes;
      }
      this.#arenaEnd = end;
      this.#garbage = 0;
    }
    this.#arena = arena;
  }
  #grow(wanted: number): void {
    const capacity = Math.max(wanted, 2 * this.#numbers.length);
    this.#numbers = grown(this.#numbers, new Float64Array(capacity));
    this.#at = grown(this.#at, new Float64Array(capacity));
    this.#lengths = grown(this.#lengths, new Int32Array(capacity));
    this.#hashes = grown(this.#hashes, new Int32Array(capacity));
    this.#groups = grown(this.#groups, new Uint16Array(capacity));
    this.#rows = grown(this.#rows, new Int32Array(capacity));
  }
}

/** Last byte of an encoded string key; see data's key.ts. */
const stringTag = 1;

/** `into` with the contents of `from` at its start. */
export function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}
