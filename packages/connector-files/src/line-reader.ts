/**
 * The lines of a split, read ahead in the background within a bound.
 *
 * LNR-1  A split that does not begin at 0 begins behind the first line end at or after its first byte less one: a line belongs to the split
 *        in which its first byte lies.
 * LNR-2  At most `aheadBytes` of the file wait here; the stream is paused beyond that.
 */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { fail } from "./fail.ts";
import type { FileSplit } from "./file-split.ts";

const aheadBytes = 1024 * 1024;
const chunkBytes = 256 * 1024;
const newline = 10;
/** No record is longer: what claims to be is not a file of lines. */
const maxLineBytes = 64 * 1024 * 1024;

export interface LineReaderEvents {
  /** There is something to take, or the end has been reached. */
  onReady(): void;
  onError(error: unknown): void;
}

export class LineReader {
  readonly #split: FileSplit;
  readonly #events: LineReaderEvents;
  #stream: Readable | undefined;
  readonly #chunks: Uint8Array[] = [];
  #queued = 0;
  #ended = false;
  #closed = false;
  /** Offset of the first byte not handed out yet. */
  #position: number;
  /** The chunk being cut into lines, and where. */
  #chunk: Uint8Array | undefined;
  #at = 0;
  /** A line's beginning, from earlier chunks. */
  #head: Uint8Array[] = [];
  #headBytes = 0;
  /** The first, partial line belongs to the split before. */
  #skipFirst: boolean;
  header: Uint8Array | undefined;

  constructor(split: FileSplit, wantsHeader: boolean, events: LineReaderEvents) {
    this.#split = split;
    this.#events = events;
    this.#position = split.position;
    this.#skipFirst = split.position === split.from && split.from > 0;
    // One byte earlier, to see whether a line begins exactly at the split.
    if (this.#skipFirst) this.#position -= 1;
    this.#open(wantsHeader).catch((error: unknown) => events.onError(error));
  }
  get position(): number {
    return this.#position;
  }

  /** The next line without its end; undefined when there is none now (see `done`). */
  take(): Uint8Array | undefined {
    for (;;) {
      if (!this.#skipFirst && this.#position >= this.#split.to) {
        this.close();
        this.#ended = true;
        return undefined;
      }
      const line = this.#line();
      if (line === undefined) return undefined;
      if (!this.#skipFirst) return line;
      this.#skipFirst = false;
    }
  }
  /** True when every line of the split has been taken. */
  get done(): boolean {
    return (
      this.#ended && this.#chunk === undefined && this.#chunks.length === 0 && this.#headBytes === 0
    );
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunk = undefined;
    this.#chunks.length = 0;
    this.#headBytes = 0;
    this.#head = [];
    this.#stream?.destroy();
  }

  #line(): Uint8Array | undefined {
    for (;;) {
      if (this.#chunk === undefined) {
        this.#chunk = this.#chunks.shift();
        this.#at = 0;
        if (this.#chunk === undefined)
          return this.#ended && this.#headBytes > 0 ? this.#cut(new Uint8Array(0), 0) : undefined;
        this.#queued -= this.#chunk.length;
        if (this.#queued < aheadBytes / 2) this.#stream?.resume();
      }
      const end = this.#chunk.indexOf(newline, this.#at);
      if (end >= 0) {
        const rest = this.#chunk.subarray(this.#at, end);
        this.#at = end + 1;
        if (this.#at === this.#chunk.length) this.#chunk = undefined;
        return this.#cut(rest, 1);
      }
      const rest = this.#chunk.subarray(this.#at);
      this.#chunk = undefined;
      this.#head.push(rest);
      this.#headBytes += rest.length;
      if (this.#headBytes > maxLineBytes)
        throw fail("FILES_UNREADABLE", {
          fields: { path: this.#split.path, reason: `a line longer than ${maxLineBytes} bytes` },
        });
    }
  }
  #cut(rest: Uint8Array, endBytes: number): Uint8Array {
    this.#position += this.#headBytes + rest.length + endBytes;
    if (this.#headBytes === 0) return rest;
    const line = Buffer.concat([...this.#head, rest]);
    this.#head = [];
    this.#headBytes = 0;
    return line;
  }

  async #open(wantsHeader: boolean): Promise<void> {
    const { path, sizeBytes } = this.#split;
    const info = await stat(path).catch((error: unknown) => {
      throw fail("FILES_UNREADABLE", { fields: { path }, cause: error });
    });
    if (info.size < sizeBytes)
      throw fail("FILES_CHANGED", { fields: { path, sizeBytes, found: info.size } });
    if (wantsHeader) this.header = await readFirstLine(path);
    if (this.#closed) return;
    const packed = path.endsWith(".gz");
    const stream = packed
      ? unpacked(path)
      : createReadStream(path, { start: this.#position, highWaterMark: chunkBytes });
    this.#stream = stream;
    let skip = packed ? this.#position : 0;
    stream.on("data", (data: Buffer) => {
      if (this.#closed) return;
      const chunk = skip === 0 ? data : data.subarray(Math.min(skip, data.length));
      skip -= data.length - chunk.length;
      if (chunk.length === 0) return;
      this.#chunks.push(chunk);
      this.#queued += chunk.length;
      if (this.#queued >= aheadBytes) stream.pause();
      this.#events.onReady();
    });
    stream.on("end", () => {
      this.#ended = true;
      this.#events.onReady();
    });
    stream.on("error", (error: unknown) =>
      this.#events.onError(fail("FILES_UNREADABLE", { fields: { path }, cause: error })),
    );
  }
}

function unpacked(path: string): Readable {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  file.on("error", (error) => gunzip.destroy(error));
  gunzip.on("close", () => file.destroy());
  return file.pipe(gunzip);
}

async function readFirstLine(path: string): Promise<Uint8Array> {
  if (!path.endsWith(".gz")) {
    const file = await open(path, "r");
    try {
      for (let bytes = 64 * 1024; ; bytes *= 4) {
        const buffer = Buffer.alloc(bytes);
        const { bytesRead } = await file.read(buffer, 0, bytes, 0);
        const end = buffer.subarray(0, bytesRead).indexOf(newline);
        if (end >= 0 || bytesRead < bytes) return buffer.subarray(0, end < 0 ? bytesRead : end);
      }
    } finally {
      await file.close();
    }
  }
  const parts: Buffer[] = [];
  for await (const chunk of unpacked(path) as AsyncIterable<Buffer>) {
    const end = chunk.indexOf(newline);
    parts.push(end < 0 ? chunk : chunk.subarray(0, end));
    if (end >= 0) break;
  }
  return Buffer.concat(parts);
}
