/**
 * Reads the splits that it is given, one after the other.
 *
 * FRD-1  A split's position is that of the next record: exactly the records emitted are before it (SRC-1).
 * FRD-2  A record that does not parse names file, line and column, and obeys the source's error policy.
 */
import { isMillraceError, MillraceError } from "@millrace/base";
import type {
  FormatDecoder,
  FormatDefinition,
  ReaderContext,
  ReaderOutput,
  SourceReader,
} from "@millrace/spi";
import type { LineReaderLimits } from "./file-bytes.ts";
import type { FileSplit } from "./file-split.ts";
import { LineReader } from "./line-reader.ts";
import { Pace } from "./pace.ts";

interface Open {
  readonly split: FileSplit;
  readonly lines: LineReader;
  readonly decoder: FormatDecoder;
  /** Whether the file's first line has been dealt with. */
  headerDone: boolean;
  /** Position and line behind the last record that was emitted or refused. */
  position: number;
  line: number;
  /** Lines read since then: parts of one record. */
  pendingLines: number;
  /** Text of the lines of a record that goes on, each with its end. */
  before: string;
}

export class FileReader implements SourceReader<FileSplit> {
  readonly #context: ReaderContext;
  readonly #format: FormatDefinition;
  readonly #limits: LineReaderLimits | undefined;
  readonly #ratePerSec: number;
  readonly #pace: Pace | undefined;
  readonly #waiting: FileSplit[] = [];
  readonly #decoder = new TextDecoder();
  #open: Open | undefined;
  #noMore = false;
  #asked = false;

  constructor(
    context: ReaderContext,
    options: {
      readonly format: FormatDefinition;
      /** Of all readers together; a split says which part of it is this reader's. */
      readonly ratePerSec?: number | undefined;
      readonly limits?: LineReaderLimits;
    },
  ) {
    this.#context = context;
    this.#format = options.format;
    this.#limits = options.limits;
    this.#ratePerSec = options.ratePerSec ?? Number.POSITIVE_INFINITY;
    this.#pace = options.ratePerSec === undefined ? undefined : new Pace(context);
  }
  addSplits(splits: readonly FileSplit[]): void {
    this.#waiting.push(...splits);
    this.#asked = false;
  }
  noMoreSplits(): void {
    this.#noMore = true;
  }

  poll(output: ReaderOutput, maxRows: number): "more" | "nothing" | "end" {
    const current = this.#open ?? this.#next();
    if (current === undefined) {
      if (this.#noMore) return "end";
      if (!this.#asked) {
        this.#asked = true;
        this.#context.requestSplit();
      }
      return "nothing";
    }
    const rows = Math.min(maxRows, this.#pace?.allowed() ?? maxRows);
    if (rows === 0) return "nothing";
    for (let i = 0; i < rows && !output.full; i++) {
      if (!this.#header(current)) return "nothing";
      const line = current.lines.take();
      if (line === undefined) {
        if (!current.lines.done) return "nothing";
        this.#finish(current, output);
        return "more";
      }
      this.#record(current, line, output);
    }
    return "more";
  }
  snapshot(): readonly FileSplit[] {
    const open = this.#open;
    return open === undefined
      ? [...this.#waiting]
      : [{ ...open.split, position: open.position, line: open.line }, ...this.#waiting];
  }
  where(): string | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    const { path, from } = open.split;
    // Lines of a later part of a file are counted from where the part begins.
    return from === 0 ? `${path}:${open.line}` : `${path}, line ${open.line} from byte ${from} on`;
  }
  close(): void {
    this.#open?.lines.close();
    this.#pace?.close();
  }

  #next(): Open | undefined {
    const split = this.#waiting.shift();
    if (split === undefined) return undefined;
    const decoder = this.#format.createDecoder();
    this.#pace?.setRate(this.#ratePerSec * (split.share ?? 1));
    const lines = new LineReader(split, {
      wantsHeader: decoder.header,
      events: {
        onReady: () => this.#context.available(),
        onError: (error) => this.#context.fail(error),
      },
      ...(this.#limits === undefined ? {} : { limits: this.#limits }),
    });
    this.#open = {
      split,
      lines,
      decoder,
      headerDone: !decoder.header,
      position: split.position,
      line: split.line,
      pendingLines: 0,
      before: "",
    };
    return this.#open;
  }

  /** Reads the header before the first record; in the split that holds it, it is also a line to pass over. */
  #header(open: Open): boolean {
    if (open.headerDone) return true;
    const { header } = open.lines;
    if (header === undefined) return false;
    if (header === "none") {
      open.headerDone = true;
      return true;
    }
    this.#located(open, 1, () => open.decoder.readHeader(header));
    if (open.position === 0) {
      if (open.lines.take() === undefined) return open.lines.done;
      open.position = open.lines.position;
      open.line = 1;
    }
    open.headerDone = true;
    return true;
  }

  #record(open: Open, line: Uint8Array, output: ReaderOutput): void {
    open.pendingLines += 1;
    let result: ReturnType<FormatDecoder["decode"]>;
    try {
      result = this.#located(open, open.line + 1, () => open.decoder.decode(line));
    } catch (error) {
      const text = this.#textOf(open, line);
      this.#passed(open);
      this.#context.badRow(error, text);
      return;
    }
    if (result === "more") {
      open.before = `${this.#textOf(open, line)}\n`;
      return;
    }
    this.#passed(open);
    if (result === undefined) return;
    this.#pace?.passed();
    output.emit(open.split.splitId, result.value, Number.NaN);
  }
  #passed(open: Open): void {
    open.position = open.lines.position;
    open.line += open.pendingLines;
    open.pendingLines = 0;
    open.before = "";
  }
  /** The record so far, as it stands in the file. */
  #textOf(open: Open, line: Uint8Array): string {
    return open.before + this.#decoder.decode(line);
  }
  #finish(open: Open, output: ReaderOutput): void {
    this.#open = undefined;
    open.lines.close();
    try {
      this.#located(open, open.line + 1, () => open.decoder.end?.());
    } catch (error) {
      this.#context.badRow(error, open.before.replace(/\n$/, ""));
    }
    output.splitFinished(open.split.splitId);
  }

  /** Adds the place to what a decoder throws. */
  #located<R>(open: Open, line: number, decode: () => R): R {
    try {
      return decode();
    } catch (error) {
      if (!isMillraceError(error)) throw error;
      const inSplit: Readonly<Record<string, number>> =
        open.split.from > 0 ? { fromByte: open.split.from } : {};
      throw new MillraceError(error.code, error, {
        fields: { file: open.split.path, line, ...inSplit, ...error.fields },
        cause: error.cause,
      });
    }
  }
}
