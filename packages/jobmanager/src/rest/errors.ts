/** From whatever was thrown to what a caller is told: a coded error and a status. */
import { type ErrorInfo, errorInfo, isMillraceError } from "@millrace/base";
import { fail } from "../fail.ts";

export interface RestError {
  readonly status: number;
  readonly body: { readonly errors: readonly string[]; readonly error: ErrorInfo };
}

/** What the server library raises; only the parts that are read. */
interface ServerError {
  readonly statusCode?: number;
  readonly message?: string;
  readonly validation?: readonly {
    readonly message?: string;
    readonly instancePath?: string;
    readonly params?: Readonly<Record<string, unknown>>;
  }[];
}

export function restError(thrown: unknown): RestError {
  if (isMillraceError(thrown)) return answerOf(errorInfo(thrown));
  const { statusCode, validation, message } = thrown as ServerError;
  if (validation !== undefined)
    return answerOf(badRequest({ problems: validation.map(problemText) }));
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return answerOf(badRequest({ reason: message ?? "" }), statusCode);
  return answerOf(errorInfo(fail("REST_INTERNAL", { cause: thrown })));
}

function badRequest(fields: Readonly<Record<string, string | readonly string[]>>): ErrorInfo {
  return errorInfo(fail("REST_BAD_REQUEST", { fields }));
}

function problemText({
  instancePath = "",
  message = "",
  params,
}: NonNullable<ServerError["validation"]>[number]): string {
  const named = params?.["additionalProperties"] ?? params?.["additionalProperty"];
  const name = Array.isArray(named) ? named.join(", ") : named;
  const allowed = params?.["allowedValues"];
  const detail = name ?? (Array.isArray(allowed) ? allowed.join(", ") : undefined);
  const text = `${instancePath} ${message}`.trim();
  return typeof detail === "string" && detail !== "" ? `${text}: ${detail}` : text;
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
