/** How errors look on a terminal: what, where, why, what to do. With --json, the same as data. */
import { type ErrorInfo, errorInfo, isMillraceError, userFrame } from "@millrace/base";

export function reportError(error: unknown, json: boolean): void {
  const info = errorInfo(error, "INTERNAL_ERROR");
  process.stderr.write(json ? `${JSON.stringify({ error: info })}\n` : `${errorText(info)}\n`);
}

/** The text of an error, its fields and its causes, most telling first. */
export function errorText(info: ErrorInfo): string {
  const lines = [`error ${info.code}: ${info.message}`, ...fieldsText(info, "  ")];
  let fix = info.fix;
  for (let { cause } = info; cause !== undefined; cause = cause.cause) {
    // What is coded says more: its fields, and what to do about it. A plain error is the user's.
    const coded = Object.keys(cause.fields).length > 0 || cause.code !== "USER_CODE_THREW";
    lines.push(`  cause: ${coded ? `${cause.code}: ` : ""}${cause.message}`);
    if (coded) {
      lines.push(...fieldsText(cause, "    "));
      if (cause.fix !== "") fix = cause.fix;
    }
    const frame = userFrame(cause.stack)?.frame;
    if (frame !== undefined && !coded) lines.push(`    at ${frame}`);
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

/** 2: the caller can mend it; 1: a job failed, or something else went wrong. */
export function exitCodeOf(error: unknown): number {
  if (!isMillraceError(error) || error.domain !== "user" || error.code === "CLI_JOB_FAILED")
    return 1;
  // Errors of a running task name their vertex.
  return "vertex" in error.fields ? 1 : 2;
}
