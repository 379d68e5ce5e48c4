/** Sources as users hold them, and the built-in ones: collections, sequences, a rate-limited generator. */
import { copyRecord, type Type, typeNodeOf, unknownType } from "@millrace/data";
import { defineSource, type Source } from "@millrace/spi";
import { assertKnown } from "./arguments.ts";
import { fail } from "./fail.ts";
import { RangeEnumerator, RangeReader, type RangeSplit } from "./range-source.ts";

/** Values that are in the job itself; one split, so their order is kept. Each is handed out as a copy: after a failure it is read again. */
export function collectionSource<T>(values: readonly T[], type?: Type<T>): Source<T> {
  return rangeSource({
    name: "collection",
    from: 0,
    to: values.length,
    splits: 1,
    at: (index) => copyRecord(values[index]),
    type,
  });
}

/** Whole numbers from `from` to `to`, both included; as many splits as readers. */
export function sequenceSource(from: number, to: number): Source<number> {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to))
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: { argument: "fromSequence", value: `${from}, ${to}`, allowed: "whole numbers" },
    });
  return rangeSource({
    name: "sequence",
    from,
    to: to + 1,
    splits: "readers",
    at: (index) => index,
  });
}

export interface GeneratorOptions<T> {
  /**
   * Makes the record of an index, from 0. Must give the same record for the same index: after a restart it is asked again. A record is not to be
   * changed later: one that gives the same object twice in a row, not frozen, gets its next call only when that has been handed on; one that
   * begins to do so later fails with `SOURCE_RECORD_REUSED`.
   */
  create: (index: number) => T;
  /** How many records there are; without it there is no end. */
  count?: number;
  /** Records a second over all readers; without it as fast as they are taken. */
  ratePerSec?: number;
  type?: Type<T>;
}
/** Flink's `DataGeneratorSource`. Record `i` comes from reader `i mod parallelism`. */
export function generatorSource<T>(options: GeneratorOptions<T>): Source<T> {
  assertKnown("generatorSource", options, ["create", "count", "ratePerSec", "type"]);
  const { count, ratePerSec } = options;
  if (count !== undefined && (!Number.isSafeInteger(count) || count < 0))
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: { argument: "count", value: String(count), allowed: "a whole number from 0" },
    });
  if (ratePerSec !== undefined && !(ratePerSec > 0))
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: { argument: "ratePerSec", value: String(ratePerSec), allowed: "a number above 0" },
    });
  return rangeSource({
    name: "generator",
    from: 0,
    to: count ?? Number.MAX_SAFE_INTEGER,
    splits: "strided",
    at: options.create,
    bounded: count !== undefined,
    ...(options.type === undefined ? {} : { type: options.type }),
    ...(ratePerSec === undefined ? {} : { ratePerSec }),
  });
}

function rangeSource<T>(options: {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly splits: 1 | "readers" | "strided";
  readonly at: (index: number) => unknown;
  readonly type?: Type<T> | undefined;
  readonly ratePerSec?: number;
  readonly bounded?: boolean;
}): Source<T> {
  const { from, to, splits, ratePerSec } = options;
  return defineSource<T, RangeSplit>({
    name: options.name,
    boundedness: options.bounded === false ? "unbounded" : "bounded",
    outputType: options.type === undefined ? unknownType : typeNodeOf(options.type),
    describe: { from, to, ...(ratePerSec === undefined ? {} : { ratePerSec }) },
    createEnumerator: (context, restored) =>
      new RangeEnumerator(context, { from, to, splits }, restored),
    createReader: (context) =>
      new RangeReader(context, {
        at: options.at,
        ratePerSec: ratePerSec === undefined ? undefined : ratePerSec / context.parallelism,
        isMade: options.name === "generator",
      }),
  });
}
