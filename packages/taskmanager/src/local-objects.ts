/**
 * Copies, on the TaskManager's own disk, of the objects that its runners upload for snapshots: an attempt that starts on the same machine
 * reads its state from there, and not from a store across the network.
 *
 *   copy: crc32 u32 | content, in a file named by the hash of the object's key
 *
 * LOB-1  A copy is used only when it is whole and hashes to what was uploaded under its key. Keys are never used twice (CKP-2), so it is
 *        what a manifest references by that key. Anything else is as if it were not there, and goes.
 * LOB-2  The store is the truth: a copy that can't be made, read or removed costs time, and is no error.
 * LOB-3  Copies of one job take at most `maxBytes`; the oldest go first.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** About what a job with large state rewrites in its retained checkpoints; a small part of any disk that takes such jobs. */
const defaultMaxBytes = 2 * 1_024 ** 3;
const headBytes = 4;

export interface LocalObjects {
  /** Keeps a copy. Never rejects. */
  keep(key: string, content: Uint8Array): Promise<void>;
  /** A part of the copy; undefined when there is none that can be trusted. Never rejects. */
  getRange(key: string, from: number, to: number): Promise<Uint8Array | undefined>;
}

export function localObjects(folder: string, maxBytes: number = defaultMaxBytes): LocalObjects {
  const fileOf = (key: string) =>
    join(folder, createHash("sha256").update(key).digest("hex").slice(0, 40));
  /** Looked at whole by this process, with their contents' lengths. */
  const trusted = new Map<string, number>();
  return {
    async keep(key, content) {
      const file = fileOf(key);
      try {
        await mkdir(folder, { recursive: true });
        const head = Buffer.alloc(headBytes);
        head.writeUInt32LE(crc32(content));
        await writeFile(`${file}.part`, [head, content]);
        await rename(`${file}.part`, file);
        trusted.set(file, content.length);
        await evict(folder, maxBytes);
      } catch {
        await rm(`${file}.part`, { force: true }).catch(() => {});
      }
    },
    async getRange(key, from, to) {
      const file = fileOf(key);
      try {
        const length = trusted.get(file) ?? (await lengthOf(file));
        trusted.set(file, length);
        if (to > length) return undefined;
        await using handle = await open(file);
        const { buffer, bytesRead } = await handle.read({
          buffer: Buffer.allocUnsafeSlow(to - from),
          position: headBytes + from,
        });
        return bytesRead === to - from ? buffer : undefined;
      } catch {
        trusted.delete(file);
        return undefined;
      }
    },
  };
}

/** Of the content, if it is what was written; rejects, and removes the file, when it is not. */
async function lengthOf(file: string): Promise<number> {
  const bytes = await readFile(file);
  if (bytes.length >= headBytes && bytes.readUInt32LE() === crc32(bytes.subarray(headBytes)))
    return bytes.length - headBytes;
  await rm(file, { force: true });
  throw new RangeError("not what was written");
}

async function evict(folder: string, maxBytes: number): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      const { size, mtimeMs } = await stat(path);
      return { path, size, mtimeMs };
    }),
  );
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= maxBytes) return;
    await rm(path, { force: true });
    total -= size;
  }
}
