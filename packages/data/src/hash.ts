/**
 * The stable hash of bytes: 8-byte blocks, 32-bit arithmetic, the tail masked with zeros and told apart by the length.
 * Frozen: key groups of stored state depend on it (`hash-vectors.json`).
 *
 * HSH-1  hashBytes(b, i, j) depends on the bytes from i to j only.
 * HSH-2  The result is an unsigned 32-bit number, all of whose bits are well mixed.
 */
const c1 = 0x9e37_79b1 | 0;
const c2 = 0x85eb_ca77 | 0;

export const hashSeed = 0x3c6e_f372;

/** Mixes one block: two little-endian words. */
export function hashBlock(hash: number, low: number, high: number): number {
  let h = Math.imul(hash ^ low, c1);
  h = ((h << 13) | (h >>> 19)) ^ high;
  h = Math.imul(h, c2);
  return h ^ (h >>> 15);
}

/** Ends a hash over `length` bytes (MurmurHash3's finaliser over hash and length). */
export function hashEnd(hash: number, length: number): number {
  let h = hash ^ Math.imul(length, c1);
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35 | 0);
  return (h ^ (h >>> 16)) >>> 0;
}

export function hashBytes(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
  let hash = hashSeed;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    hash = hashBlock(
      hash,
      bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24),
      bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24),
    );
  }
  if (i < to) {
    let low = 0;
    let high = 0;
    for (let shift = 0; i < to; i++, shift += 8) {
      if (shift < 32) low |= bytes[i]! << shift;
      else high |= bytes[i]! << (shift - 32);
    }
    hash = hashBlock(hash, low, high);
  }
  return hashEnd(hash, to - from);
}
