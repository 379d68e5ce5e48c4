export { type Infer, type OptionalType, type Type, t } from "@millrace/data";
export {
  type BadRow,
  badRow,
  defineSink,
  defineSource,
  type Sink,
  type SinkKind,
  type Source,
} from "@millrace/spi";
export { type BuildArguments, type BuiltJob, buildJob } from "./build.ts";
export { collectSink } from "./collect-sink.ts";
export { type Duration, days, hours, type Millis, minutes, seconds } from "./duration.ts";
export type { Env } from "./env.ts";
export { defineJob, isJob, type Job, type JobOptions } from "./job.ts";
export { type Param, type ParamValues, param, type Secret } from "./params.ts";
export type {
  Collect,
  KeyedCtx,
  KeyedProcessSpec,
  NoOutputDeclared,
  ProcessCtx,
  ProcessSpec,
  TaskInfo,
} from "./process.ts";
export { type GeneratorOptions, generatorSource } from "./sources.ts";
export { type StateDecl, state, type ValueState } from "./state.ts";
export type { ConnectedStreams, DataStream, KeyedStream } from "./stream.ts";
export type { StreamSink } from "./stream-sink.ts";
export type {
  AggregateFunction,
  AsyncCtx,
  AsyncOptions,
  AsyncSpec,
  DeadLetterPolicy,
  Emit,
  FieldOf,
  Key,
  KeyFrom,
  OnError,
  SinkOnError,
  TimeWindow,
  WatermarkGenerator,
  Window,
  WindowCtx,
} from "./types.ts";
export { type WatermarkOptions, type WatermarkStrategy, Watermarks } from "./watermarks.ts";
export type { WindowedStream, WindowProcessSpec } from "./windowed.ts";
export { type Aggregation, agg, TumblingEventTimeWindows, type WindowAssigner } from "./windows.ts";
