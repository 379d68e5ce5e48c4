/**
 * HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 2^11 registers: about 2.3 % standard error, 2 KB. Small counts by linear
 * counting. Hashing is that of keys, so equal values of different types of column count once.
 */
import { hashKey } from "@millrace/data";

const bits = 11;
const registersCount = 1 << bits;
const alpha = 0.7213 / (1 + 1.079 / registersCount);

export function emptyHyperLogLog(): Uint8Array {
  return new Uint8Array(registersCount);
}

export function addToHyperLogLog(registers: Uint8Array, value: unknown): Uint8Array {
  const hash = mix(hashKey(value));
  const index = hash >>> (32 - bits);
  const rank = Math.clz32(((hash << bits) >>> 0) | (1 << (bits - 1))) + 1;
  if (rank > (registers[index] ?? 0)) registers[index] = rank;
  return registers;
}

export function estimateHyperLogLog(registers: Uint8Array): number {
  let sum = 0;
  let zeros = 0;
  for (const rank of registers) {
    sum += 2 ** -rank;
    if (rank === 0) zeros += 1;
  }
  const raw = (alpha * registersCount * registersCount) / sum;
  if (raw <= 2.5 * registersCount && zeros > 0)
    return Math.round(registersCount * Math.log(registersCount / zeros));
  // 32-bit hashes begin to collide: the correction of the original paper.
  return Math.round(raw <= 2 ** 32 / 30 ? raw : -(2 ** 32) * Math.log(1 - raw / 2 ** 32));
}

/** Finaliser of MurmurHash3: every bit of the hash reaches every other. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
