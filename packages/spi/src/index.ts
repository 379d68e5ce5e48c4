export { type BadRow, badRow, badRowType } from "./bad-row.ts";
export type { BlobInfo, BlobStore } from "./blob-store.ts";
export {
  type FormatDecoder,
  type FormatDefinition,
  type FormatEncoder,
  formatSymbol,
} from "./format.ts";
export { memoryBlobStore } from "./memory-blob-store.ts";
export { type Counter, type OperatorMetrics, seriesOf } from "./metrics.ts";
export type {
  BarrierInfo,
  FailedCall,
  InlineBody,
  Mailbox,
  Operator,
  OperatorDefinition,
  OperatorSetup,
  Output,
  TaskInfo,
  TimerService,
} from "./operator.ts";
export {
  type Committer,
  defineSink,
  type Permit,
  type Sink,
  type SinkContext,
  type SinkDefinition,
  type SinkKind,
  type SinkWriter,
  sinkDefinitionOf,
} from "./sink.ts";
export {
  defineSource,
  type EnumeratorContext,
  type ReaderContext,
  type ReaderOutput,
  type Source,
  type SourceDefinition,
  type SourceReader,
  type Split,
  type SplitEnumerator,
  sourceDefinitionOf,
} from "./source.ts";
export type {
  BatchKeys,
  BatchRows,
  Fold,
  KeyedState,
  NumberCell,
  OperatorLists,
  StateTable,
  TableDeclaration,
  TimerCallback,
  TimerDomain,
} from "./state.ts";
