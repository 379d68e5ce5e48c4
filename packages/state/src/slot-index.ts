/**
 * Open addressing with linear probing from a hash to the slots of an owner that keeps the keys.
 *
 * IDX-1  It grows by moving a few entries with each change, never all at once: no operation is O(n).
 * IDX-2  An entry is in exactly one of the two tables; a probe chain is never broken (removed entries leave a mark).
 */

/** Says whether the entry in a slot is the one looked for. */
export interface SlotOwner {
  matches(slot: number): boolean;
}

const removed = -1;
const smallest = 16;
/** Entries moved per insertion; the new table can't fill up before the old one is empty. */
const movedPerInsert = 16;

/** Pairs (hash, slot + 1): 0 is empty, `removed` was one. */
class Table {
  readonly pairs: Int32Array;
  readonly mask: number;
  /** Live and removed entries. */
  used = 0;
  constructor(capacity: number) {
    this.pairs = new Int32Array(2 * capacity);
    this.mask = capacity - 1;
  }
  get isFull(): boolean {
    return this.used * 10 > (this.mask + 1) * 7;
  }
  add(hash: number, slot: number): void {
    const { pairs, mask } = this;
    let at = hash & mask;
    while (pairs[2 * at + 1] !== 0) at = (at + 1) & mask;
    pairs[2 * at] = hash;
    pairs[2 * at + 1] = slot + 1;
    this.used += 1;
  }
  find(hash: number, owner: SlotOwner): number {
    const { pairs, mask } = this;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = pairs[2 * at + 1]!;
      if (entry === 0) return -1;
      if (entry > 0 && pairs[2 * at] === hash && owner.matches(entry - 1)) return entry - 1;
    }
  }
  remove(hash: number, slot: number): boolean {
    const { pairs, mask } = this;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = pairs[2 * at + 1]!;
      if (entry === 0) return false;
      if (entry === slot + 1) {
        pairs[2 * at + 1] = removed;
        return true;
      }
    }
  }
}

export class SlotIndex {
  readonly #owner: SlotOwner;
  #table = new Table(smallest);
  /** The table that is being emptied, and how far. */
  #old: Table | undefined;
  #movedTo = 0;
  #size = 0;

  constructor(owner: SlotOwner) {
    this.#owner = owner;
  }
  get size(): number {
    return this.#size;
  }
  /** The slot with this hash that the owner recognises, or -1. */
  find(hash: number): number {
    const found = this.#table.find(hash, this.#owner);
    return found < 0 && this.#old !== undefined ? this.#old.find(hash, this.#owner) : found;
  }
  /** Adds a slot that is not there yet. */
  insert(hash: number, slot: number): void {
    if (this.#old !== undefined) this.#move(this.#old);
    if (this.#table.isFull) this.#grow();
    this.#table.add(hash, slot);
    this.#size += 1;
  }
  /** Removes a slot that is there. */
  remove(hash: number, slot: number): void {
    if (!this.#table.remove(hash, slot)) this.#old?.remove(hash, slot);
    this.#size -= 1;
  }

  #grow(): void {
    let capacity = smallest;
    while (capacity < this.#size * 3) capacity *= 2;
    if (this.#old !== undefined) this.#move(this.#old, Number.POSITIVE_INFINITY);
    this.#old = this.#table;
    this.#movedTo = 0;
    this.#table = new Table(capacity);
  }
  #move(old: Table, count: number = movedPerInsert): void {
    const { pairs, mask } = old;
    const end = Math.min(mask + 1, this.#movedTo + count);
    for (; this.#movedTo < end; this.#movedTo++) {
      const entry = pairs[2 * this.#movedTo + 1]!;
      if (entry <= 0) continue;
      this.#table.add(pairs[2 * this.#movedTo]!, entry - 1);
      pairs[2 * this.#movedTo + 1] = removed;
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
