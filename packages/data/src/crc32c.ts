/** CRC-32C (Castagnoli, RFC 3720 B.4), reflected, polynomial 0x1EDC6F41: frames, segments, manifests and log entries. */

/**
 * Slicing by eight (Kounavis and Berry, 2005): word 256 k + b is byte b followed by k zero bytes. One array instead of eight
 * halves the time per byte in V8.
 */
const table: Int32Array = buildTable();

/** The checksum as an unsigned number. `seed` is the checksum of what came before: `crc32c(b, crc32c(a)) = crc32c(a ++ b)`. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const length = bytes.length;
  const blocks = length - (length % 8);
  let crc = ~seed;
  let i = 0;
  for (; i < blocks; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      table[1_792 + (crc & 255)]! ^
      table[1_536 + ((crc >>> 8) & 255)]! ^
      table[1_280 + ((crc >>> 16) & 255)]! ^
      table[1_024 + (crc >>> 24)]! ^
      table[768 + bytes[i + 4]!]! ^
      table[512 + bytes[i + 5]!]! ^
      table[256 + bytes[i + 6]!]! ^
      table[bytes[i + 7]!]!;
  }
  for (; i < length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function buildTable(): Int32Array {
  const words = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? 0x82f6_3b78 ^ (c >>> 1) : c >>> 1;
    words[n] = c;
  }
  for (let n = 256; n < words.length; n++) {
    const c = words[n - 256]!;
    words[n] = words[c & 255]! ^ (c >>> 8);
  }
  return words;
}
