export type { BlobInfo, BlobStore } from "./blob-store.ts";
export { memoryBlobStore } from "./memory-blob-store.ts";
export { formatSymbol, type FormatDecoder, type FormatDefinition, type FormatEncoder } from "./format.ts";
export type { Counter, OperatorMetrics } from "./metrics.ts";
export type { BarrierInfo, InlineBody, Mailbox, Operator, OperatorDefinition, OperatorSetup, Output, TaskInfo, TimerService } from "./operator.ts";
export { defineSink, type Sink, sinkDefinitionOf, sinkSymbol, type Committer, type Permit, type SinkContext, type SinkDefinition, type SinkKind, type SinkWriter } from "./sink.ts";
export {
  defineSource, type Source, sourceDefinitionOf, sourceSymbol, type EnumeratorContext, type ReaderContext, type ReaderOutput, type SourceDefinition, type SourceReader,
  type Split, type SplitEnumerator,
} from "./source.ts";
export type { KeyedState, OperatorLists, StateTable, TableDeclaration, TimerCallback, TimerDomain } from "./state.ts";
