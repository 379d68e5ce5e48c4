export {
  connectMethodPath,
  type Down,
  type DownCase,
  type DownMessage,
  decodeDown,
  decodeUp,
  encodeDown,
  encodeUp,
  type Up,
  type UpCase,
  type UpMessage,
} from "./control.ts";
export type { AttemptRef as AttemptMessage, SlotAddress } from "./generated/control.ts";
export type { MetricSample } from "./metrics.ts";
export { answerErrors } from "./rest/answer-errors.ts";
export { openApi } from "./rest/open-api.ts";
export { type Route, type RouteName, routes } from "./rest/routes.ts";
export { executionStates } from "./rest/schemas-base.ts";
export type {
  AggregatedMetrics,
  Backpressure,
  CheckpointConfigView,
  Checkpoints,
  CheckpointVertexView,
  CheckpointView,
  ConfigView,
  ErrorAnswer,
  Exceptions,
  ExecutionResult,
  ExecutionState,
  IoMetrics,
  JobConfigView,
  JobDetail,
  JobSummary,
  Metrics,
  Overview,
  PlanView,
  RunBundle,
  SubtaskTimes,
  SubtaskView,
  TaskCounts,
  TaskManagerView,
  Trigger,
  VertexDetail,
  VertexSummary,
  VertexTaskManagers,
  Watermarks,
} from "./rest/views.ts";
