import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Compression of blocks in memory, as it is stored in segments. */
export const zstd = {
  compress: (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes),
  /** Throws when the bytes are damaged, or would be more than `maxBytes`: nothing is allocated by a claimed size. */
  decompress: (bytes: Uint8Array, maxBytes: number): Uint8Array =>
    zstdDecompressSync(bytes, { maxOutputLength: maxBytes }),
};
