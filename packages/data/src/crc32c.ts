/** CRC-32C (Castagnoli, RFC 3720 B.4), reflected, polynomial 0x1EDC6F41: frames, segments, manifests and log entries. */

/** Eight tables of 256 words for slicing by eight: tables[k][b] is byte b followed by k zero bytes. */
const tables: readonly Int32Array[] = buildTables();

/** The checksum as an unsigned number. `seed` is the checksum of what came before: `crc32c(b, crc32c(a)) = crc32c(a ++ b)`. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
    Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array,
  ];
  const length = bytes.length;
  const blocks = length - (length % 8);
  let crc = ~seed;
  let i = 0;
  for (; i < blocks; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = t7[crc & 255]! ^ t6[(crc >>> 8) & 255]! ^ t5[(crc >>> 16) & 255]! ^ t4[crc >>> 24]!
      ^ t3[bytes[i + 4]!]! ^ t2[bytes[i + 5]!]! ^ t1[bytes[i + 6]!]! ^ t0[bytes[i + 7]!]!;
  }
  for (; i < length; i++) crc = t0[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function buildTables(): Int32Array[] {
  const first = new Int32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? 0x82f6_3b78 ^ (c >>> 1) : c >>> 1;
    first[n] = c;
  }
  const all = [first];
  for (let k = 1; k < 8; k++) {
    const before = all[k - 1]!;
    all.push(before.map((c) => first[c & 255]! ^ (c >>> 8)));
  }
  return all;
}
