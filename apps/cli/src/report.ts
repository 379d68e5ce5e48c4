/** How errors look on a terminal: what, where, why, what to do. With --json, the same as data. */
import { type ErrorInfo, errorInfo } from "@millrace/base";

export function reportError(error: unknown, json: boolean): void {
  const info = errorInfo(error, "INTERNAL_ERROR");
  process.stderr.write(json ? `${JSON.stringify({ error: info })}\n` : `${errorText(info)}\n`);
}

/** The text of an error, its fields and its causes, most telling first. */
export function errorText(info: ErrorInfo): string {
  const lines = [`error ${info.code}: ${info.message}`];
  for (const [name, value] of Object.entries(info.fields)) {
    if (value === "" || (Array.isArray(value) && value.length === 0)) continue;
    if (Array.isArray(value))
      lines.push(`  ${name}:`, ...value.map((item) => `    ${String(item)}`));
    else lines.push(`  ${name}: ${String(value)}`);
  }
  for (let cause = info.cause; cause !== undefined; cause = cause.cause) {
    lines.push(
      `  cause: ${cause.code === "USER_CODE_THREW" ? "" : `${cause.code}: `}${cause.message}`,
    );
    const frame = userFrame(cause.stack);
    if (frame !== undefined) lines.push(`    at ${frame}`);
  }
  if (info.code === "INTERNAL_ERROR" && info.stack !== undefined) lines.push(info.stack);
  lines.push(`  fix: ${info.fix}`);
  return lines.join("\n");
}

/** The first frame that is the user's: neither ours nor Node's. */
function userFrame(stack: string | undefined): string | undefined {
  return stack
    ?.split("\n")
    .map((line) => line.trim())
    .find(
      (line) => line.startsWith("at ") && !line.includes("node:") && !line.includes("millrace/src"),
    )
    ?.slice(3);
}
