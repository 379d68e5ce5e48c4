/**
 * A source over a range of indices: what collections, sequences and generators are made of.
 *
 * RNG-1  A split is (from, to, step) and the next index to read; the records of a split come in index order.
 * RNG-2  Every index is in exactly one split, whatever the number of readers.
 * RNG-3  A rate is caught up with for at most a second: what was held up for longer is forgotten, or the burst would be as long as the
 *        hold-up.
 * RNG-4  A function that gives one object again and again, changed or not, is called only when its last record has been handed on. One that
 *        begins to do so later is refused: the records before are changed already.
 */
import type {
  EnumeratorContext,
  ReaderContext,
  ReaderOutput,
  SourceReader,
  Split,
  SplitEnumerator,
} from "@millrace/spi";
import { fail } from "./fail.ts";

export interface RangeSplit extends Split {
  readonly to: number;
  readonly step: number;
  readonly next: number;
}
/** Records that are made before the first of them is handed on; the first few are made one by one. */
const recordsAtOnce = 256;
const firstRecords = 3;

export interface RangeOptions {
  readonly from: number;
  readonly to: number;
  /** One split; one run per reader; or indices dealt out by turns, one stride per reader. */
  readonly splits: 1 | "readers" | "strided";
}

/** Splits in waiting; after a restore, what readers gave back. Plain data. */
type RangeState = readonly RangeSplit[];

export class RangeEnumerator implements SplitEnumerator<RangeSplit> {
  readonly #context: EnumeratorContext<RangeSplit>;
  #waiting: RangeSplit[];

  constructor(context: EnumeratorContext<RangeSplit>, options: RangeOptions, restored: unknown) {
    this.#context = context;
    this.#waiting =
      restored === undefined ? cut(options, context.parallelism) : [...(restored as RangeState)];
  }
  start(): void {}
  handleSplitRequest(subtask: number): void {
    const split = this.#waiting.shift();
    if (split === undefined) this.#context.signalNoMoreSplits(subtask);
    else this.#context.assign(subtask, [split]);
  }
  addSplitsBack(splits: readonly RangeSplit[]): void {
    this.#waiting = [...splits, ...this.#waiting];
  }
  snapshot(): RangeState {
    return [...this.#waiting];
  }
}

function cut({ from, to, splits }: RangeOptions, readers: number): RangeSplit[] {
  if (to <= from) return [];
  if (splits === 1) return [{ splitId: "0", next: from, to, step: 1 }];
  if (splits === "strided")
    return Array.from({ length: readers }, (_, i) => ({
      splitId: String(i),
      next: from + i,
      to,
      step: readers,
    })).filter((split) => split.next < to);
  const size = Math.ceil((to - from) / readers);
  return Array.from({ length: readers }, (_, i) => ({
    splitId: String(i),
    next: from + i * size,
    to: Math.min(to, from + (i + 1) * size),
    step: 1,
  })).filter((split) => split.next < split.to);
}

export class RangeReader implements SourceReader<RangeSplit> {
  readonly #context: ReaderContext;
  readonly #at: (index: number) => unknown;
  /** Records a second of this reader, or undefined. */
  readonly #ratePerSec: number | undefined;
  readonly #isMade: boolean;
  #splits: { split: RangeSplit; next: number }[] = [];
  #noMore = false;
  #asked = false;
  /** Monotonic ms from which the rate counts, and what has been handed out since. */
  #rateSince = Number.NaN;
  #rateDone = 0;
  #cancel: (() => void) | undefined;
  /** Records of the first split that have been made and not all handed out: those from `#taken` up to `#made`, of which `#first` is the index. */
  readonly #records: unknown[] = [];
  #made = 0;
  #taken = 0;
  #first = 0;
  /** How many may be made at once, records made so far, and the last of them. */
  #atOnce = 1;
  #count = 0;
  #last: unknown;

  constructor(
    context: ReaderContext,
    {
      at,
      ratePerSec,
      isMade,
    }: {
      readonly at: (index: number) => unknown;
      readonly ratePerSec?: number | undefined;
      /** `at` makes records, as opposed to looking them up. */
      readonly isMade: boolean;
    },
  ) {
    this.#context = context;
    this.#at = at;
    this.#ratePerSec = ratePerSec;
    this.#isMade = isMade;
  }
  addSplits(splits: readonly RangeSplit[]): void {
    for (const split of splits) this.#splits.push({ split, next: split.next });
    this.#asked = false;
  }
  noMoreSplits(): void {
    this.#noMore = true;
  }

  poll(output: ReaderOutput, maxRows: number): "more" | "nothing" | "end" {
    const current = this.#splits[0];
    if (current === undefined) {
      if (this.#noMore) return "end";
      if (!this.#asked) {
        this.#asked = true;
        this.#context.requestSplit();
      }
      return "nothing";
    }
    const { split } = current;
    if (current.next >= split.to) {
      this.#splits.shift();
      output.splitFinished(split.splitId);
      return "more";
    }
    for (let left = maxRows; left > 0 && current.next < split.to; ) {
      if (this.#taken === this.#made && !this.#make(current, left))
        return left === maxRows ? "nothing" : "more";
      const from = this.#taken;
      const taken = output.emitBatch(split.splitId, this.#records, from, this.#made);
      if (taken === from) break;
      current.next += (taken - from) * split.step;
      this.#taken = taken;
      left -= taken - from;
    }
    return "more";
  }
  where(_splitId: string, row: number): string | undefined {
    return this.#splits.length === 0
      ? undefined
      : `record ${this.#first + row * (this.#splits[0]?.split.step ?? 1)}`;
  }
  snapshot(): readonly RangeSplit[] {
    return this.#splits.map(({ split, next }) => ({ ...split, next }));
  }
  close(): void {
    this.#cancel?.();
  }

  /** Makes some records; false when the rate allows none. */
  #make(
    { split, next }: { readonly split: RangeSplit; readonly next: number },
    maxRows: number,
  ): boolean {
    const left = Math.ceil((split.to - next) / split.step);
    const rows = Math.min(maxRows, this.#atOnce, left, this.#allowed());
    this.#first = next;
    const records = this.#records;
    const { step } = split;
    let made = 0;
    let isReused = false;
    try {
      for (let index = next; made < rows && !isReused; made++, index += step) {
        const record = this.#at(index);
        isReused = record === this.#last && this.#couldChange(record);
        records[made] = this.#last = record;
      }
    } catch (error) {
      // Those before it go first.
      if (made === 0) throw error;
    }
    if (isReused) this.#reused(made, next);
    this.#taken = 0;
    this.#made = made;
    this.#rateDone += made;
    this.#count += made;
    if (this.#count === firstRecords && this.#atOnce === 1) this.#atOnce = recordsAtOnce;
    return made > 0;
  }
  #couldChange(record: unknown): boolean {
    return this.#isMade && typeof record === "object" && !Object.isFrozen(record);
  }
  /** RNG-4: the last of `made` records is the one before it. */
  #reused(made: number, first: number): void {
    if (made > 1) throw fail("SOURCE_RECORD_REUSED", { fields: { record: first + made - 1 } });
    this.#atOnce = 1;
    this.#count = firstRecords;
  }
  /** How many records the rate allows now; when none, wakes the reader in time for the next. */
  #allowed(): number {
    const rate = this.#ratePerSec;
    if (rate === undefined) return Number.POSITIVE_INFINITY;
    const { clock, timers } = this.#context.platform;
    const now = clock.monotonic();
    if (Number.isNaN(this.#rateSince)) this.#rateSince = now;
    const due = Math.floor(((now - this.#rateSince) * rate) / 1_000) + 1 - this.#rateDone;
    // A second's worth, and always the next record.
    const burst = Math.max(1, Math.floor(rate));
    if (due > burst) this.#rateDone += due - burst;
    if (due > 0) return Math.min(due, burst);
    this.#cancel?.();
    this.#cancel = timers.after(Math.max(1, Math.ceil(((1 - due) * 1_000) / rate)), () =>
      this.#context.available(),
    );
    return 0;
  }
}
