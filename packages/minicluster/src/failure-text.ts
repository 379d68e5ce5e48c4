/** One line about an attempt that failed and is tried again: without it a job that fails for ever would do so in silence. */
import { type ErrorInfo, userFrame } from "@millrace/base";
import type { ExceptionEntry } from "@millrace/coordinator";

export function failureText(failure: ExceptionEntry, delayMs: number): string {
  const { error, attempt, taskName, task } = failure;
  const cause = rootOf(error);
  const at = userFrame(cause.stack)?.at ?? error.fields["at"];
  const where = [
    at,
    taskName === undefined ? task : `${taskName} ${task?.replace(/.*#/, "#") ?? ""}`,
  ]
    .filter((part) => part !== undefined && part !== "")
    .map((part) => `, ${String(part)}`)
    .join("");
  const what = cause.code === "USER_CODE_THREW" ? cause.message : `${cause.code}: ${cause.message}`;
  return `attempt ${attempt} failed: ${what}${where}; tried again in ${Math.round(delayMs)} ms`;
}

function rootOf(error: ErrorInfo): ErrorInfo {
  return error.cause === undefined ? error : rootOf(error.cause);
}
