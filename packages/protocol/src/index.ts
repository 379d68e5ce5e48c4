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
export { openApi, type Route, type RouteName, routes } from "./rest/routes.ts";
export type {
  Checkpoints,
  CheckpointView,
  ErrorAnswer,
  Exceptions,
  IoMetrics,
  JobDetail,
  JobSummary,
  Overview,
  PlanView,
  RunBundle,
  SubtaskView,
  TaskCounts,
  TaskManagerView,
  VertexDetail,
  VertexSummary,
} from "./rest/schemas.ts";
