/** From whatever was thrown to what a caller is told: a coded error and a status. */
import { type ErrorInfo, errorInfo, isMillraceError } from "@millrace/base";
import { fail } from "../fail.ts";

export interface RestError {
  readonly status: number;
  readonly body: { readonly errors: readonly string[]; readonly error: ErrorInfo };
}

/** A request that is refused before it has reached a handler. */
export class Refusal extends Error {
  readonly status: number;
  readonly fields: Readonly<Record<string, string | readonly string[]>>;

  constructor(status: number, fields: Readonly<Record<string, string | readonly string[]>>) {
    super("refused");
    this.status = status;
    this.fields = fields;
  }
}

export function restError(thrown: unknown): RestError {
  if (thrown instanceof Refusal)
    return answerOf(errorInfo(fail("REST_BAD_REQUEST", { fields: thrown.fields })), thrown.status);
  if (isMillraceError(thrown)) return answerOf(errorInfo(thrown));
  return answerOf(errorInfo(fail("REST_INTERNAL", { cause: thrown })));
}

function answerOf(info: ErrorInfo, status = statusOf(info)): RestError {
  return { status, body: { errors: [textOf(info)], error: withoutStack(info) } };
}

function statusOf(info: ErrorInfo): number {
  switch (info.code) {
    case "JOB_NOT_FOUND":
    case "REST_NOT_FOUND":
    case "REST_NO_SUCH_ENTRY":
    case "BUNDLE_NOT_FOUND":
      return 404;
    case "JOB_ALREADY_TERMINAL":
    case "JOB_ID_TAKEN":
    case "JOB_NOT_RUNNING":
      return 409;
    case "BUNDLE_TOO_LARGE":
      return 413;
    case "JOB_LEADER_STARTING":
    case "JOB_LEADER_ENDED":
      return 503;
    default:
      return { user: 400, external: 502, internal: 500 }[info.domain];
  }
}

function textOf(info: ErrorInfo): string {
  const fields = Object.entries(info.fields)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
  return `${info.code}: ${info.message}${fields === "" ? "" : ` (${fields})`}. ${info.fix}`;
}
/** A stack of the user's code stays: its frames are what he looks for. */
function withoutStack({ stack, cause, ...info }: ErrorInfo): ErrorInfo {
  return {
    ...info,
    ...(stack === undefined || info.code !== "USER_CODE_THREW" ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: withoutStack(cause) }),
  };
}
