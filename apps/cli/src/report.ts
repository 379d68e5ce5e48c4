/** How errors look on a terminal: what, where, why, what to do. With --json, the same as data. */
import { fileURLToPath } from "node:url";
import {
  type ErrorInfo,
  errorInfo,
  isMillraceError,
  type UserFrame,
  userFrame,
} from "@millrace/base";
import { interruptedExitCode } from "./interrupt.ts";
import { warnings } from "./warnings.ts";

export function reportError(error: unknown, json: boolean): void {
  const info = withPlace(errorInfo(error, "INTERNAL_ERROR"));
  const text = info.code === "CLI_INTERRUPTED" ? interruptedText(info) : errorText(info);
  process.stderr.write(
    json ? `${JSON.stringify({ error: withoutStack(info), warnings: warnings() })}\n` : `${text}\n`,
  );
}

/** Who presses Ctrl-C knows why; what holds now is all that is asked. */
function interruptedText({ fields }: ErrorInfo): string {
  return `interrupted by ${String(fields["signal"])}: ${String(fields["note"])}`;
}

/** Codes of errors that are not ours: what they say is all there is. */
const plain: ReadonlySet<string> = new Set(["USER_CODE_THREW", "INTERNAL_ERROR"]);

/** The user's frame of a stack; the command's own are nobody's business. */
function frameOf(stack: string | undefined): UserFrame | undefined {
  const own = stack?.split("\n").filter((line) => !line.includes(import.meta.dirname));
  return userFrame(own?.join("\n"));
}

/** A path, whether the module was loaded from a file's URL or as a part of a bundle. */
function plainFrame(frame: string): string {
  return frame.replace(/file:\/\/[^\s()]+?(?=(?::\d+)*\)?$)/, (url) =>
    URL.canParse(url) ? fileURLToPath(url) : url,
  );
}

/** An error that was raised in a call of the user's names the line of that call, unless it names a place already. */
function withPlace(info: ErrorInfo): ErrorInfo {
  const at = plain.has(info.code) ? undefined : frameOf(info.stack)?.at;
  return at === undefined || "at" in info.fields
    ? info
    : { ...info, fields: { ...info.fields, at } };
}

/** A coded error says what it is without the stack; a foreign one keeps it. */
function withoutStack(info: ErrorInfo): ErrorInfo {
  const { stack, cause, ...rest } = info;
  return {
    ...rest,
    ...(stack === undefined || !plain.has(info.code) ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: withoutStack(cause) }),
  };
}

/** The text of an error, its fields and its causes, most telling first. */
export function errorText(info: ErrorInfo): string {
  const lines = [`error ${info.code}: ${info.message}`, ...fieldsText(info, "  ")];
  let fix = info.fix;
  for (let { cause } = info; cause !== undefined; cause = cause.cause) {
    // What is coded says more: its fields, and what to do about it. A plain error is the user's.
    const coded = Object.keys(cause.fields).length > 0 || !plain.has(cause.code);
    lines.push(`  cause: ${coded ? `${cause.code}: ` : ""}${cause.message}`);
    if (coded) {
      lines.push(...fieldsText(cause, "    "));
      if (cause.fix !== "") fix = cause.fix;
    }
    const frame = frameOf(cause.stack)?.frame;
    if (frame !== undefined && !coded) lines.push(`    at ${plainFrame(frame)}`);
  }
  if (info.code === "INTERNAL_ERROR" && info.stack !== undefined) lines.push(info.stack);
  lines.push(`  fix: ${fix}`);
  return lines.join("\n");
}

function fieldsText(info: ErrorInfo, indent: string): readonly string[] {
  return Object.entries(info.fields).flatMap(([name, value]) => {
    if (value === "" || (Array.isArray(value) && value.length === 0)) return [];
    return Array.isArray(value)
      ? [`${indent}${name}:`, ...value.map((item) => `${indent}  ${String(item)}`)]
      : [`${indent}${name}: ${String(value)}`];
  });
}

/** 2: the caller can mend it; 1: a job failed, or something else went wrong; 128 + n: ended by signal n. */
export function exitCodeOf(error: unknown): number {
  if (isMillraceError(error) && error.code === "CLI_INTERRUPTED")
    return interruptedExitCode(error.fields["signal"]);
  if (!isMillraceError(error) || error.domain !== "user" || error.code === "CLI_JOB_FAILED")
    return 1;
  // Errors of a running task name their vertex.
  return "vertex" in error.fields ? 1 : 2;
}
