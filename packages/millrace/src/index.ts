/** What jobs import. */
export {
  agg, days, defineJob, defineSink, defineSource, generatorSource, hours, minutes, param, seconds, state, t, TumblingEventTimeWindows, Watermarks,
  type AggregateFunction, type Aggregation, type AsyncCtx, type AsyncOptions, type AsyncSpec, type Collect, type ConnectedStreams, type DataStream,
  type Duration, type Emit, type Env, type FieldOf, type GeneratorOptions, type Infer, type Job, type JobOptions, type Key, type KeyedCtx,
  type KeyedProcessSpec, type KeyedStream, type KeyFrom, type Millis, type NoOutputDeclared, type OnError, type OptionalType, type Param, type ParamValues,
  type ProcessCtx, type ProcessSpec, type Secret, type Sink, type SinkKind, type Source, type StateDecl, type StreamSink, type TaskInfo, type TimeWindow,
  type Type, type ValueState, type WatermarkGenerator, type WatermarkOptions, type WatermarkStrategy, type Window, type WindowAssigner, type WindowCtx,
  type WindowedStream, type WindowProcessSpec,
} from "@millrace/api";
export { csv, type CsvOptions, type Format, json, lines } from "@millrace/formats";
