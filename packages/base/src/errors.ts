/**
 * The one error type of Millrace, and how a package declares its codes.
 *
 * ERR-1  An error is recognised by a registered symbol, never by `instanceof`: a job bundle carries its own copy of this file.
 * ERR-2  `message` is lower case and holds no data; data travels in `fields`, so that equal faults have equal messages.
 * ERR-3  Every code is declared in a `codes.ts` and has a page `docs/errors/<CODE>.md`.
 */

/** Who can do something about it: the author of the job, an outside system, or Millrace. */
export type ErrorDomain = "user" | "external" | "internal";
/** What may be tried: nothing, the same call again after a pause, the task, or the whole job. */
export type ErrorRetry = "never" | "backoff" | "restart-task" | "restart-job";
/** Values that make an error concrete; they are shown and serialised, so never a secret. */
export type ErrorFields = Readonly<
  Record<string, string | number | boolean | null | readonly string[]>
>;

/** What a package declares per code. `fix` is one sentence that tells the reader what to do. */
export interface ErrorCode {
  readonly domain: ErrorDomain;
  readonly retry: ErrorRetry;
  readonly message: string;
  readonly fix: string;
}
export type ErrorCodes = Readonly<Record<string, ErrorCode>>;

const brand = Symbol.for("millrace.error");

export interface MillraceErrorOptions {
  readonly fields?: ErrorFields;
  readonly cause?: unknown;
}

export class MillraceError extends Error {
  readonly [brand] = true;
  readonly code: string;
  readonly domain: ErrorDomain;
  readonly retry: ErrorRetry;
  readonly fix: string;
  readonly fields: ErrorFields;

  constructor(code: string, declared: ErrorCode, options: MillraceErrorOptions = {}) {
    super(declared.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MillraceError";
    this.code = code;
    this.domain = declared.domain;
    this.retry = declared.retry;
    this.fix = declared.fix;
    this.fields = options.fields ?? {};
  }
}

/** An error as plain data: for the wire, logs and REST. `stack` keeps the frames that belong to user code readable. */
export interface ErrorInfo {
  readonly code: string;
  readonly domain: ErrorDomain;
  readonly retry: ErrorRetry;
  readonly message: string;
  readonly fix: string;
  readonly fields: ErrorFields;
  readonly stack?: string;
  readonly cause?: ErrorInfo;
}

/** Gives the thrower of a package's codes: `const fail = errorsOf(codes); throw fail("DATA_BAD_KEY", { fields })`. */
export function errorsOf<const C extends ErrorCodes>(
  codes: C,
): (code: keyof C & string, options?: MillraceErrorOptions) => MillraceError {
  return (code, options) => {
    const declared = codes[code];
    if (declared === undefined) throw new Error(`undeclared error code ${code}`);
    return new MillraceError(code, declared, options);
  };
}

export function isMillraceError(value: unknown): value is MillraceError {
  return typeof value === "object" && value !== null && brand in value;
}

/** Turns whatever was thrown into data; a foreign error gets the code `USER_CODE_THREW` unless told otherwise. */
export function errorInfo(thrown: unknown, foreignCode = "USER_CODE_THREW", depth = 0): ErrorInfo {
  if (isMillraceError(thrown)) {
    return {
      code: thrown.code,
      domain: thrown.domain,
      retry: thrown.retry,
      message: thrown.message,
      fix: thrown.fix,
      fields: thrown.fields,
      ...(thrown.stack === undefined ? {} : { stack: thrown.stack }),
      ...(thrown.cause === undefined || depth > 4
        ? {}
        : { cause: errorInfo(thrown.cause, foreignCode, depth + 1) }),
    };
  }
  const error = thrown instanceof Error ? thrown : undefined;
  const message = error === undefined ? describe(thrown) : `${error.name}: ${error.message}`;
  return {
    code: foreignCode,
    domain: "user",
    retry: "restart-job",
    message,
    fix: "see the stack: the first frame names the place",
    fields: {},
    ...(error?.stack === undefined ? {} : { stack: error.stack }),
    ...(error?.cause === undefined || depth > 4
      ? {}
      : { cause: errorInfo(error.cause, foreignCode, depth + 1) }),
  };
}

/** The error that an `ErrorInfo` describes, so that it can be thrown again on this side of a wire. */
export function errorFromInfo(info: ErrorInfo): MillraceError {
  const error = new MillraceError(info.code, info, {
    fields: info.fields,
    ...(info.cause === undefined ? {} : { cause: errorFromInfo(info.cause) }),
  });
  if (info.stack !== undefined) error.stack = info.stack;
  return error;
}

function describe(value: unknown): string {
  try {
    return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return String(value);
  }
}
