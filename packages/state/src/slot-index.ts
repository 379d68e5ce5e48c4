/**
 * Open addressing with linear probing from a hash to the slots of an owner that keeps the keys.
 *
 * IDX-1  It grows by moving a few entries with each change, never all at once: no operation is O(n).
 * IDX-2  An entry is in exactly one of the two tables; a probe chain is never broken (removed entries leave a mark).
 *
 * An entry is four bytes: the slot in the low bits, and in those that are left a part of the hash, so that hardly any other slot is
 * looked at. The owner tells the hash again when entries move.
 */

/** Knows the hash that a slot was inserted with. */
export interface SlotOwner {
  hashOf(slot: number): number;
}

const removed = -1;
const smallest = 16;
/** Entries moved per insertion; the new table can't fill up before the old one is empty. */
const movedPerInsert = 64;

/** Entries moved when many are looked up. */
const movedPerGuess = 1_024;

/** 0: empty. Else slot + 1 in the bits of `low`, which are never all set, below a part of the hash; or `removed`. */
class Entries {
  readonly entries: Int32Array;
  readonly mask: number;
  readonly low: number;
  /** Live and removed entries. */
  used = 0;
  constructor(capacity: number, low: number) {
    this.entries = new Int32Array(capacity);
    this.mask = capacity - 1;
    this.low = low;
  }
  /** Two thirds. */
  get isFull(): boolean {
    return this.used * 3 > (this.mask + 1) * 2;
  }
  add(hash: number, slot: number): void {
    const { entries, mask, low } = this;
    let at = hash & mask;
    while (entries[at] !== 0) at = (at + 1) & mask;
    entries[at] = (mixed(hash) & ~low) | (slot + 1);
    this.used += 1;
  }
  remove(hash: number, slot: number): boolean {
    const { entries, mask, low } = this;
    const wanted = (mixed(hash) & ~low) | (slot + 1);
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = entries[at]!;
      if (entry === 0) return false;
      if (entry === wanted) {
        entries[at] = removed;
        return true;
      }
    }
  }
}
/** The place comes of the low bits and the key group of the high ones: what tells entries apart must come of all. */
function mixed(hash: number): number {
  return Math.imul(hash, 0x9e37_79b1);
}

export class SlotIndex {
  readonly #owner: SlotOwner;
  #table = new Entries(smallest, 0xff);
  /** The table that is being emptied, and how far. */
  #old: Entries | undefined;
  #movedTo = 0;
  #size = 0;
  /** Where `next` goes on. */
  #hash = 0;
  #in = this.#table;
  #at = 0;

  constructor(owner: SlotOwner) {
    this.#owner = owner;
  }
  get size(): number {
    return this.#size;
  }
  get bytes(): number {
    return this.#table.entries.byteLength + (this.#old?.entries.byteLength ?? 0);
  }
  /** A slot that may be one with this hash, or -1: the owner compares, and asks `next` for another. */
  first(hash: number): number {
    this.#hash = hash;
    this.#in = this.#table;
    this.#at = hash & this.#table.mask;
    return this.next();
  }
  next(): number {
    for (;;) {
      const { entries, mask, low } = this.#in;
      const wanted = mixed(this.#hash) & ~low;
      let at = this.#at;
      for (let entry = entries[at]!; entry !== 0; entry = entries[at]!) {
        at = (at + 1) & mask;
        if ((entry & ~low) !== wanted || entry === removed) continue;
        this.#at = at;
        return (entry & low) - 1;
      }
      const old = this.#old;
      if (old === undefined || this.#in === old) {
        this.#at = at;
        return -1;
      }
      this.#in = old;
      this.#at = this.#hash & old.mask;
    }
  }
  /** For each of some hashes a slot that may be the one, or -1; both can be wrong, and `first` tells. The loads of many wait side by side. */
  guess(hashes: Uint32Array, from: number, to: number, into: Int32Array): void {
    // Without new slots the old table would stay for good.
    if (this.#old !== undefined) this.#move(this.#old, movedPerGuess);
    const { entries, mask, low } = this.#table;
    for (let i = from; i < to; i++) {
      const hash = hashes[i]! | 0;
      const wanted = mixed(hash) & ~low;
      let at = hash & mask;
      let entry = entries[at]!;
      while (entry !== 0 && ((entry & ~low) !== wanted || entry === removed)) {
        at = (at + 1) & mask;
        entry = entries[at]!;
      }
      into[i - from] = (entry & low) - 1;
    }
  }
  /** Adds a slot that is not there yet. */
  insert(hash: number, slot: number): void {
    if (this.#old !== undefined) this.#move(this.#old);
    if (this.#table.isFull || slot + 1 >= this.#table.low) this.#grow(slot);
    this.#table.add(hash, slot);
    this.#size += 1;
  }
  /** Removes a slot that is there. */
  remove(hash: number, slot: number): void {
    if (!this.#table.remove(hash, slot)) this.#old?.remove(hash, slot);
    this.#size -= 1;
  }

  #grow(slot: number): void {
    let capacity = smallest;
    while (capacity < this.#size * 2) capacity *= 2;
    let low = this.#table.low;
    while (slot + 1 >= low >>> 1) low = 2 * low + 1;
    if (this.#old !== undefined) this.#move(this.#old, Number.POSITIVE_INFINITY);
    this.#old = this.#table;
    this.#movedTo = 0;
    this.#table = new Entries(capacity, low);
  }
  #move(old: Entries, count: number = movedPerInsert): void {
    const { entries, mask, low } = old;
    const end = Math.min(mask + 1, this.#movedTo + count);
    for (; this.#movedTo < end; this.#movedTo++) {
      const entry = entries[this.#movedTo]!;
      if (entry === 0 || entry === removed) continue;
      const slot = (entry & low) - 1;
      this.#table.add(this.#owner.hashOf(slot), slot);
      entries[this.#movedTo] = removed;
    }
    if (this.#movedTo > mask) this.#old = undefined;
  }
}

/** Spreads three numbers and an id over 32 bits; times differ far beyond 2^32. */
export function hashOfRow(id: number, a: number, b: number, c: number): number {
  let hash = Math.imul(id + 1, 0x9e37_79b1);
  if (a !== 0 || b !== 0 || c !== 0) hash = mix(mix(mix(hash, a), b), c);
  return hash ^ (hash >>> 15);
}
function mix(hash: number, number: number): number {
  const low = number | 0;
  const high = Math.floor(number / 4_294_967_296) | 0;
  const mixed = Math.imul(hash ^ low, 0x85eb_ca6b);
  return Math.imul((mixed ^ (mixed >>> 13)) + high, 0xc2b2_ae35) ^ (mixed >>> 16);
}
