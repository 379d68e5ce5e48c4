/** Where the records of a benchmark come from, and where its results go. */
import {
  type DataStream,
  defineSink,
  type Env,
  generatorSource,
  type Sink,
  type Type,
  type WatermarkStrategy,
  Watermarks,
} from "@millrace/api";
import type { Run } from "./benchmark.ts";

export interface RecordsOptions<T> {
  readonly uid?: string;
  readonly type?: Type<T>;
  readonly watermarks?: WatermarkStrategy<T>;
}

export function records<T>(
  env: Env,
  run: Run,
  create: (index: number) => T,
  { uid = "in", type, watermarks = Watermarks.none() }: RecordsOptions<T> = {},
): DataStream<T> {
  const source = generatorSource<T>({
    count: run.records,
    create: run.probe.source(create, run.warm),
    ...(type === undefined ? {} : { type }),
  });
  return env.fromSource(source, watermarks).uid(uid);
}

/** Drops what it gets, and folds it to one number. */
export function discard<T>({ probe }: Run, fold: (value: T) => number): Sink<T> {
  return defineSink<T>({
    name: "discard",
    kind: "at-least-once",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({
      write(value) {
        probe.fold = (probe.fold + fold(value as T)) | 0;
        probe.count += 1;
      },
      flush: () => probe.end(),
      close: () => probe.close(),
    }),
  });
}
