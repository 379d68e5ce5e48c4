/** A job: a name, declared parameters, and a build function that says what it is made of. Building is pure and deterministic. */
import {
  type CheckpointOptions,
  type JobOptions as GraphOptions,
  maxRetained,
  type RestartOptions,
} from "@millrace/graph";
import {
  assertKnown,
  assertOneOf,
  assertText,
  assertWhole,
  badArgument,
  durationOf,
} from "./arguments.ts";
import type { Duration } from "./duration.ts";
import type { Env } from "./env.ts";
import type { ParamDecls, ParamValues } from "./params.ts";

export interface Job {
  readonly name: string;
}
export interface JobOptions<P extends ParamDecls> {
  name: string;
  params?: P;
  parallelism?: number;
  checkpoint?: {
    interval?: Duration;
    timeout?: Duration;
    minPause?: Duration;
    tolerableFailures?: number;
    /** How long sinks may take to commit a completed checkpoint; then the job restarts and commits again. Default 10 min. */
    commitTimeout?: Duration;
    /** How many of the last completed checkpoints are kept, 1 to 32. Default 1. */
    retained?: number;
    mode?: "exactly-once";
    /** What becomes of the retained checkpoints when the job is cancelled. Default "retain". */
    onCancel?: "retain" | "delete";
    /** The same when it fails for good. Default "retain". */
    onFailure?: "retain" | "delete";
  };
  restart?: {
    strategy?: RestartOptions["strategy"];
    /** How often at most; default without bound for "exponential-delay", 1 for the others. */
    attempts?: number;
    delay?: Duration;
    maxDelay?: Duration;
    /** "exponential-delay": each delay is so many times the one before, at least 1. Default 1.5. */
    multiplier?: number;
    /** "exponential-delay": share by which a delay is varied, 0 to 1. Default 0.1. */
    jitter?: number;
    /** "exponential-delay": after running so long without a failure, delays and attempts begin anew. Default 1 h. */
    resetAfter?: Duration;
    /** "failure-rate": the time in which `attempts` failures are allowed. */
    interval?: Duration;
  };
  /** How long a record may wait for its batch. Default 5 ms. */
  bufferTimeout?: Duration;
  autoWatermarkInterval?: Duration;
  /** Refuse state whose type would be inferred. */
  requireTypes?: boolean;
}

const jobSymbol = Symbol.for("millrace.job");
export interface JobParts {
  readonly name: string;
  readonly params: ParamDecls | undefined;
  readonly options: GraphOptions;
  readonly parallelism: number | undefined;
  readonly build: (env: Env, params: never) => void;
}

export function defineJob(name: string, build: (env: Env) => void): Job;
export function defineJob<const P extends ParamDecls>(
  options: JobOptions<P>,
  build: (env: Env, params: ParamValues<P>) => void,
): Job;
export function defineJob(
  first: string | JobOptions<ParamDecls>,
  build: (env: Env, params: never) => void,
): Job {
  const options = typeof first === "string" ? { name: first } : first;
  if (typeof options !== "object" || options === null)
    throw badArgument("defineJob", options, "a name, or an object of options");
  assertText("name", options.name);
  if (typeof build !== "function")
    throw badArgument("build", build, "a function of env and params");
  const parts: JobParts = {
    name: options.name,
    params: options.params,
    options: graphOptionsOf(options),
    parallelism: options.parallelism,
    build,
  };
  return Object.freeze({ [jobSymbol]: parts, name: options.name });
}

/** Also for a job that another copy of this module made. */
export function isJob(value: unknown): value is Job {
  return typeof value === "object" && value !== null && jobSymbol in value;
}
export function partsOfJob(job: Job): JobParts {
  return (job as unknown as { readonly [jobSymbol]: JobParts })[jobSymbol];
}

const known = {
  job: ["name", "params", "parallelism", "checkpoint", "restart", "bufferTimeout"].concat(
    "autoWatermarkInterval",
    "requireTypes",
  ),
  checkpoint: ["interval", "timeout", "minPause", "tolerableFailures", "mode"].concat(
    "commitTimeout",
    "retained",
    "onCancel",
    "onFailure",
  ),
  restart: ["strategy", "attempts", "delay", "maxDelay", "interval"].concat(
    "multiplier",
    "jitter",
    "resetAfter",
  ),
  strategies: ["none", "fixed-delay", "exponential-delay", "failure-rate"],
} as const;

function assertOptions(options: JobOptions<ParamDecls>): void {
  const { checkpoint = {}, restart = {} } = options;
  assertKnown("", options, known.job);
  assertKnown("checkpoint", checkpoint, known.checkpoint);
  assertKnown("restart", restart, known.restart);
  if (options.parallelism !== undefined) assertWhole("parallelism", options.parallelism, 1, 32_768);
  if (checkpoint.mode !== undefined)
    assertOneOf("checkpoint.mode", checkpoint.mode, ["exactly-once"]);
  for (const what of ["onCancel", "onFailure"] as const)
    if (checkpoint[what] !== undefined)
      assertOneOf(`checkpoint.${what}`, checkpoint[what], ["retain", "delete"]);
  if (checkpoint.retained !== undefined)
    assertWhole("checkpoint.retained", checkpoint.retained, 1, maxRetained);
  if (checkpoint.tolerableFailures !== undefined)
    assertWhole(
      "checkpoint.tolerableFailures",
      checkpoint.tolerableFailures,
      0,
      Number.MAX_SAFE_INTEGER,
    );
  if (restart.strategy !== undefined)
    assertOneOf("restart.strategy", restart.strategy, known.strategies);
  if (restart.attempts !== undefined)
    assertWhole("restart.attempts", restart.attempts, 0, Number.MAX_SAFE_INTEGER);
  const { multiplier, jitter } = restart;
  if (multiplier !== undefined && !(Number.isFinite(multiplier) && multiplier >= 1))
    throw badArgument("restart.multiplier", multiplier, "a number of at least 1");
  if (jitter !== undefined && !(jitter >= 0 && jitter <= 1))
    throw badArgument("restart.jitter", jitter, "a number from 0 to 1");
}

function graphOptionsOf(options: JobOptions<ParamDecls>): GraphOptions {
  assertOptions(options);
  const { checkpoint = {}, restart = {} } = options;
  const ms = (argument: string, duration: Duration | undefined, otherwise: number) =>
    duration === undefined ? otherwise : durationOf(argument, duration);
  const strategy = restart.strategy ?? "exponential-delay";
  const checkpointing: CheckpointOptions = {
    intervalMs: ms("checkpoint.interval", checkpoint.interval, 10_000),
    timeoutMs: ms("checkpoint.timeout", checkpoint.timeout, 600_000),
    minPauseMs: ms("checkpoint.minPause", checkpoint.minPause, 0),
    commitTimeoutMs: ms("checkpoint.commitTimeout", checkpoint.commitTimeout, 600_000),
    tolerableFailures: checkpoint.tolerableFailures ?? 0,
    retained: checkpoint.retained ?? 1,
    mode: "exactly-once",
    onCancel: checkpoint.onCancel ?? "retain",
    onFailure: checkpoint.onFailure ?? "retain",
  };
  for (const [argument, value, given] of [
    ["checkpoint.interval", checkpointing.intervalMs, checkpoint.interval],
    ["checkpoint.timeout", checkpointing.timeoutMs, checkpoint.timeout],
    ["checkpoint.commitTimeout", checkpointing.commitTimeoutMs, checkpoint.commitTimeout],
  ] as const)
    if (!(value > 0)) throw badArgument(argument, given, "a duration above 0");
  return {
    name: options.name,
    parallelism: 1,
    bufferTimeoutMs: ms("bufferTimeout", options.bufferTimeout, 5),
    autoWatermarkIntervalMs: ms("autoWatermarkInterval", options.autoWatermarkInterval, 200),
    requireTypes: options.requireTypes === true,
    checkpoint: checkpointing,
    restart: {
      strategy,
      attempts:
        restart.attempts ?? (strategy === "exponential-delay" ? Number.MAX_SAFE_INTEGER : 1),
      delayMs: ms("restart.delay", restart.delay, strategy === "exponential-delay" ? 200 : 1_000),
      maxDelayMs: ms("restart.maxDelay", restart.maxDelay, 60_000),
      multiplier: restart.multiplier ?? 1.5,
      jitter: restart.jitter ?? 0.1,
      resetAfterMs: ms("restart.resetAfter", restart.resetAfter, 3_600_000),
      failureRateIntervalMs: ms("restart.interval", restart.interval, 60_000),
    },
  };
}
