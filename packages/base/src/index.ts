export { formatDuration, parseDuration, parseSize } from "./duration.ts";
export {
  type ErrorCode,
  type ErrorCodes,
  type ErrorDomain,
  type ErrorFields,
  type ErrorInfo,
  type ErrorRetry,
  errorFromInfo,
  errorInfo,
  errorsOf,
  isMillraceError,
  MillraceError,
  type MillraceErrorOptions,
} from "./errors.ts";
export {
  type Attempt,
  type AttemptRef,
  attempt,
  compareAttempts,
  type Epoch,
  epoch,
  type JobId,
  jobId,
} from "./ids.ts";
export { type LogFields, type Logger, silentLogger } from "./logger.ts";
export { nearest } from "./nearest.ts";
export {
  defineOptions,
  type OptionSpec,
  type Options,
  type OptionTable,
  type OptionValues,
} from "./options.ts";
export {
  type Cancel,
  type Clock,
  type Platform,
  type Random,
  sleep,
  type Timers,
} from "./platform.ts";
export { type UserFrame, userFrame } from "./user-frame.ts";
