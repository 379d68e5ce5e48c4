export { answerErrors } from "./answer-errors.ts";
export { openApi } from "./open-api.ts";
export { type Route, type RouteName, routes } from "./routes.ts";
export { executionStates } from "./schemas-base.ts";
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
} from "./views.ts";
