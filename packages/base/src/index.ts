export { assert, InvariantError, unreachable } from "./assert.ts";
export { BoundedQueue } from "./bounded-queue.ts";
export { formatDuration, parseDuration, parseSize } from "./duration.ts";
export {
  errorFromInfo, errorInfo, errorsOf, isMillraceError, MillraceError,
  type ErrorCode, type ErrorCodes, type ErrorDomain, type ErrorFields, type ErrorInfo, type ErrorRetry, type MillraceErrorOptions,
} from "./errors.ts";
export {
  attempt, checkpointId, compareAttempts, epoch, jobId, subtaskId, taskManagerId, vertexId,
  type Attempt, type AttemptRef, type CheckpointId, type Epoch, type JobId, type SubtaskId, type TaskManagerId, type VertexId,
} from "./ids.ts";
export { silentLogger, type LogFields, type Logger } from "./logger.ts";
export { nearest } from "./nearest.ts";
export { defineOptions, type Options, type OptionSpec, type OptionTable, type OptionValues } from "./options.ts";
export { sleep, type Cancel, type Clock, type Platform, type Random, type Timers } from "./platform.ts";
