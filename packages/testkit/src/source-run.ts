/**
 * One enumerator and its readers as a job runs them, without the job: assignments in band, hints out of band, restores in between.
 *
 * SRR-1  A reader is polled again only when it said "more", was given something or called `available`: one that sleeps through its own
 *        data is found out.
 * SRR-2  A snapshot is copied as plain data, and takes assignments that have not reached their reader with it, as a barrier would.
 */
import type { Platform } from "@millrace/base";
import type {
  ReaderOutput,
  SourceDefinition,
  SourceReader,
  Split,
  SplitEnumerator,
} from "@millrace/spi";

export interface SourceSnapshot {
  readonly enumerator: unknown;
  readonly splits: readonly Split[];
}
export interface SourceRecord {
  readonly splitId: string;
  readonly subtask: number;
  readonly value: unknown;
}
export interface SourceRunOptions {
  readonly source: SourceDefinition;
  readonly parallelism: number;
  readonly platform: Platform;
  /** Lets I/O happen. */
  readonly settle: () => Promise<void>;
  /** Records per poll, and after how many the output is full. Default 100. */
  readonly maxRows?: number;
  /** Every split request comes twice (SRC-3). */
  readonly doubledHints?: boolean;
  /** A row that does not parse; default: thrown. */
  readonly badRow?: (error: unknown, text: string) => void;
}

interface Seat {
  readonly reader: SourceReader<Split>;
  readonly inbox: (readonly Split[] | "no more")[];
  awake: boolean;
  ended: boolean;
}
/** A source that has said nothing for so many turns of `settle` has fallen asleep. */
const maxQuietTurns = 20_000;

export class SourceRun {
  readonly records: SourceRecord[] = [];
  readonly finished: string[] = [];
  readonly #options: SourceRunOptions;
  readonly #abort = new AbortController();
  readonly #mailbox: (() => void)[] = [];
  #enumerator: SplitEnumerator<Split>;
  readonly #seats: Seat[] = [];

  constructor(options: SourceRunOptions, restored?: SourceSnapshot) {
    this.#options = options;
    const { source, parallelism, platform } = options;
    const copy = restored === undefined ? undefined : structuredClone(restored);
    this.#enumerator = source.createEnumerator(
      {
        parallelism,
        platform,
        signal: this.#abort.signal,
        secrets: (name) => `secret:${name}`,
        assign: (subtask, splits) => this.#send(subtask, splits),
        signalNoMoreSplits: (subtask) => this.#send(subtask, "no more"),
        callAsync: (work, handle) => {
          work().then(
            (result) => this.#mailbox.push(() => handle(result, undefined)),
            (error: unknown) => this.#mailbox.push(() => handle(undefined, error)),
          );
        },
      },
      copy?.enumerator,
    );
    for (let subtask = 0; subtask < parallelism; subtask++) this.#seats.push(this.#seat(subtask));
    if (copy !== undefined && copy.splits.length > 0) this.#enumerator.addSplitsBack(copy.splits);
  }
  get ended(): boolean {
    return this.#seats.every((seat) => seat.ended);
  }
  async start(): Promise<void> {
    await this.#enumerator.start();
  }
  /** Goes on until `until` says so, all readers have ended, or nothing more happens and `quiet` is fine. */
  async run(until: () => boolean = () => false, quiet = false): Promise<void> {
    for (let turns = 0; !this.ended && !until(); ) {
      if (this.#turn(until)) turns = 0;
      else if (turns++ < (quiet ? 50 : maxQuietTurns)) await this.#options.settle();
      else if (quiet) return;
      else throw new Error("the source fell asleep: nothing to do and nobody has ended");
    }
  }
  snapshot(): SourceSnapshot {
    const splits = this.#seats.flatMap(({ reader, inbox }) => [
      ...reader.snapshot(),
      ...inbox.flatMap((item) => (item === "no more" ? [] : item)),
    ]);
    return structuredClone({ enumerator: this.#enumerator.snapshot(), splits });
  }
  async close(): Promise<void> {
    this.#abort.abort();
    for (const { reader } of this.#seats) await reader.close?.();
    await this.#enumerator.close?.();
  }

  /** Everybody has a turn; false when nobody had anything to do. */
  #turn(until: () => boolean): boolean {
    let busy = this.#mailbox.length > 0;
    for (const work of this.#mailbox.splice(0)) work();
    for (const [subtask, seat] of this.#seats.entries()) {
      for (const item of seat.inbox.splice(0)) {
        busy = seat.awake = true;
        if (item === "no more") seat.reader.noMoreSplits();
        else seat.reader.addSplits(item);
      }
      if (!seat.awake || seat.ended || until()) continue;
      busy = true;
      seat.awake = false;
      const answer = this.#poll(subtask, seat);
      if (answer === "more") seat.awake = true;
      if (answer === "end") seat.ended = true;
    }
    return busy;
  }
  #poll(subtask: number, { reader }: Seat): "more" | "nothing" | "end" {
    const { maxRows = 100 } = this.#options;
    const { records, finished } = this;
    const before = records.length;
    const output: ReaderOutput = {
      emit: (splitId, value) => void records.push({ splitId, subtask, value }),
      emitBatch(splitId, values, from, count) {
        let row = from;
        for (; row < count && !output.full; row++) output.emit(splitId, values[row], Number.NaN);
        return row;
      },
      splitFinished: (splitId) => void finished.push(splitId),
      get full() {
        return records.length - before >= maxRows;
      },
    };
    return reader.poll(
      output,
      // The bound on rows and the bound on room take turns.
      before % 2 === 0 ? maxRows : maxRows + 1,
    );
  }
  #send(subtask: number, item: readonly Split[] | "no more"): void {
    this.#seats[subtask]?.inbox.push(item === "no more" ? item : structuredClone(item));
  }
  #seat(subtask: number): Seat {
    const { source, parallelism, platform, badRow, doubledHints } = this.#options;
    const wake = () => {
      seat.awake = true;
    };
    const request = () => this.#enumerator.handleSplitRequest(subtask);
    const reader = source.createReader({
      subtask,
      parallelism,
      platform,
      signal: this.#abort.signal,
      metrics: noMetrics,
      secrets: (name) => `secret:${name}`,
      requestSplit: () => this.#mailbox.push(request, ...(doubledHints === true ? [request] : [])),
      available: wake,
      fail: (error) =>
        this.#mailbox.push(() => {
          throw error;
        }),
      badRow:
        badRow ??
        ((error) => {
          throw error;
        }),
    });
    const seat: Seat = { reader, inbox: [], awake: true, ended: false };
    return seat;
  }
}

const noMetrics = { counter: () => ({ inc() {} }), gauge() {} };
