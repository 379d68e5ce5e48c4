import fc from "fast-check";
import { expect, test } from "vitest";
import { hashOfRow, SlotIndex } from "./slot-index.ts";

/** Keys by slot; few hashes, so that chains are long. */
class Owner {
  readonly keys: (number | undefined)[] = [];
  hashOf(slot: number): number {
    return hash(this.keys[slot] ?? -1);
  }
}

const hash = (key: number) => Math.imul(key % 50, 0x9e37_79b1);

test("IDX-1 IDX-2: finds what is in it and nothing else, while it grows and shrinks", () => {
  const operation = fc.tuple(fc.integer({ min: 0, max: 400 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 1_500, size: "max" }), (operations) => {
      const owner = new Owner();
      const index = new SlotIndex(owner);
      const slots = new Map<number, number>();
      for (const [key, add] of operations) {
        let slot = index.first(hash(key));
        while (slot >= 0 && owner.keys[slot] !== key) slot = index.next();
        expect(slot).toBe(slots.get(key) ?? -1);
        if (add && slot < 0) {
          const next = owner.keys.length;
          owner.keys.push(key);
          index.insert(hash(key), next);
          slots.set(key, next);
        } else if (!add && slot >= 0) {
          index.remove(hash(key), slot);
          owner.keys[slot] = undefined;
          slots.delete(key);
        }
        expect(index.size).toBe(slots.size);
      }
    }),
    { numRuns: 20, seed: 3 },
  );
});

test("rows of one key in neighbouring windows fall apart", () => {
  const hashes = new Set<number>();
  for (let key = 0; key < 100; key++)
    for (let window = 0; window < 100; window++)
      hashes.add(hashOfRow(key, 1_700_000_000_000 + window * 60_000, 0, 0) & 0xffff);
  // 10,000 balls in 65,536 boxes hit about 9,270 of them.
  expect(hashes.size).toBeGreaterThan(9_000);
});
