/**
 * The lines of a split, read ahead in the background within a bound.
 *
 * LNR-1  A split that does not begin at 0 begins behind the first line end at or after its first byte less one: a line belongs to the split
 *        in which its first byte lies.
 * LNR-2  At most `aheadBytes` and a chunk of the file wait here; the stream is paused beyond that.
 * LNR-3  A byte order mark before the file's first line is no part of it, but of the positions.
 * LNR-4  A file that has become shorter, or has no line end before the position to go on from, is not the one that was found:
 *        `FILES_CHANGED`. What is appended later belongs to nobody. A change that keeps size and line ends goes unnoticed.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { fail } from "./fail.ts";
import {
  type LineReaderLimits,
  newline,
  readFirstLine,
  tooLong,
  unpacked,
  withoutByteOrderMark,
} from "./file-bytes.ts";
import type { FileSplit } from "./file-split.ts";
import { hasCode } from "./sink-files.ts";

const usualLimits: LineReaderLimits = {
  aheadBytes: 1024 * 1024,
  chunkBytes: 256 * 1024,
  maxLineBytes: 64 * 1024 * 1024,
};

export interface LineReaderEvents {
  /** There is something to take, or the end has been reached. */
  onReady(): void;
  onError(error: unknown): void;
}

export class LineReader {
  readonly #split: FileSplit;
  readonly #events: LineReaderEvents;
  readonly #limits: LineReaderLimits;
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
  #header: Uint8Array | "none" | undefined;

  constructor(
    split: FileSplit,
    options: {
      readonly wantsHeader: boolean;
      readonly events: LineReaderEvents;
      readonly limits?: LineReaderLimits;
    },
  ) {
    this.#split = split;
    this.#events = options.events;
    this.#limits = options.limits ?? usualLimits;
    this.#position = split.position;
    this.#skipFirst = split.position === split.from && split.from > 0;
    // One byte earlier, to see whether a line begins exactly at the split.
    if (this.#skipFirst) this.#position -= 1;
    this.#open(options.wantsHeader).catch((error: unknown) => this.#failed(error));
  }
  /** The file's first line when it was asked for: undefined until it has been read, "none" when the file is empty. */
  get header(): Uint8Array | "none" | undefined {
    return this.#header;
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
      const first = this.#position === 0;
      const line = this.#line();
      if (line === undefined) return undefined;
      if (!this.#skipFirst) return first ? withoutByteOrderMark(line) : line;
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
        if (this.#queued < this.#limits.aheadBytes / 2) this.#stream?.resume();
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
      if (this.#headBytes > this.#limits.maxLineBytes)
        throw tooLong(this.#split.path, this.#position, this.#limits);
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
    const { path, from, position, sizeBytes, to } = this.#split;
    const info = await stat(path).catch((error: unknown) => {
      throw hasCode(error, "ENOENT")
        ? fail("FILES_CHANGED", { fields: { path, reason: "the file is gone" }, cause: error })
        : fail("FILES_UNREADABLE", { fields: { path }, cause: error });
    });
    if (info.size < sizeBytes) throw shorter(this.#split, info.size);
    if (wantsHeader) this.#header = (await readFirstLine(path, this.#limits)) ?? "none";
    if (this.#closed) return;
    const resumed = position > from && position < to;
    const start = resumed ? position - 1 : this.#position;
    if (path.endsWith(".gz")) this.#readPacked(start, resumed);
    else this.#readPlain(start, resumed);
  }
  #readPlain(start: number, resumed: boolean): void {
    const { path, sizeBytes } = this.#split;
    const stream = createReadStream(path, { start, highWaterMark: this.#limits.chunkBytes });
    let found = start;
    this.#read(stream, {
      resumed,
      chunkOf(data) {
        found += data.length;
        return data;
      },
      atEnd: () => (found < sizeBytes ? shorter(this.#split, found) : undefined),
    });
  }
  #readPacked(start: number, resumed: boolean): void {
    const { path } = this.#split;
    let skip = start;
    this.#read(unpacked(path, this.#limits.chunkBytes), {
      resumed,
      chunkOf(data) {
        const passed = Math.min(skip, data.length);
        skip -= passed;
        return data.subarray(passed);
      },
      atEnd: () =>
        skip > 0 ? fail("FILES_CHANGED", { fields: { path, position: start } }) : undefined,
    });
  }
  #read(
    stream: Readable,
    options: {
      /** The first byte is the one before the position. */
      readonly resumed: boolean;
      readonly chunkOf: (data: Buffer) => Uint8Array;
      readonly atEnd: () => Error | undefined;
    },
  ): void {
    const { path, position } = this.#split;
    this.#stream = stream;
    let before: number | undefined = options.resumed ? undefined : newline;
    stream.on("data", (data: Buffer) => {
      if (this.#closed) return;
      let chunk = options.chunkOf(data);
      if (before === undefined && chunk.length > 0) {
        before = chunk[0] as number;
        chunk = chunk.subarray(1);
      }
      if (chunk.length === 0) return;
      if (before !== newline)
        return this.#failed(
          fail("FILES_CHANGED", { fields: { path, position, reason: "no line begins there now" } }),
        );
      this.#chunks.push(chunk);
      this.#queued += chunk.length;
      if (this.#queued >= this.#limits.aheadBytes) stream.pause();
      this.#events.onReady();
    });
    stream.on("end", () => {
      if (this.#closed) return;
      const error = options.atEnd();
      if (error !== undefined) return this.#failed(error);
      this.#ended = true;
      this.#events.onReady();
    });
    stream.on("error", (error: unknown) =>
      this.#failed(fail("FILES_UNREADABLE", { fields: { path }, cause: error })),
    );
  }
  #failed(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#events.onError(error);
  }
}

function shorter({ path, sizeBytes }: FileSplit, found: number): Error {
  return fail("FILES_CHANGED", {
    fields: { path, sizeBytes, found, reason: "it has become shorter" },
  });
}
