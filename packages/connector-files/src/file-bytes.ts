/** Bytes of a file, packed or not, and its first line. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { isMillraceError } from "@millrace/base";
import { fail } from "./fail.ts";

export interface LineReaderLimits {
  readonly aheadBytes: number;
  readonly chunkBytes: number;
  /** No record is longer: what claims to be is not a file of lines. */
  readonly maxLineBytes: number;
}
export const newline = 10;

export function unpacked(path: string, chunkBytes: number): Readable {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const gunzip = createGunzip({ chunkSize: Math.max(64, chunkBytes) });
  file.on("error", (error) => gunzip.destroy(error));
  gunzip.on("close", () => file.destroy());
  return file.pipe(gunzip);
}

/** Without its line end; undefined for an empty file. */
export async function readFirstLine(
  path: string,
  limits: LineReaderLimits,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const take = (chunk: Uint8Array): boolean => {
    const end = chunk.indexOf(newline);
    parts.push(end < 0 ? Uint8Array.from(chunk) : Uint8Array.from(chunk.subarray(0, end)));
    bytes += chunk.length;
    if (end < 0 && bytes > limits.maxLineBytes) throw tooLong(path, 0, limits);
    return end >= 0;
  };
  if (path.endsWith(".gz")) await firstOfPacked(path, limits, take);
  else {
    const file = await open(path, "r");
    try {
      const buffer = new Uint8Array(Math.min(64 * 1024, limits.chunkBytes));
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, bytes);
        if (bytesRead === 0 || take(buffer.subarray(0, bytesRead))) break;
      }
    } finally {
      await file.close();
    }
  }
  return bytes === 0 ? undefined : withoutByteOrderMark(Buffer.concat(parts));
}
async function firstOfPacked(
  path: string,
  limits: LineReaderLimits,
  take: (chunk: Uint8Array) => boolean,
): Promise<void> {
  try {
    for await (const chunk of unpacked(path, limits.chunkBytes) as AsyncIterable<Buffer>)
      if (take(chunk)) return;
  } catch (error) {
    throw isMillraceError(error)
      ? error
      : fail("FILES_UNREADABLE", { fields: { path }, cause: error });
  }
}

export function withoutByteOrderMark(line: Uint8Array): Uint8Array {
  return line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line;
}

export function tooLong(path: string, position: number, { maxLineBytes }: LineReaderLimits): Error {
  return fail("FILES_UNREADABLE", {
    fields: { path, position, reason: `a line longer than ${maxLineBytes} bytes` },
  });
}
