/** Parameters from the command line: `--params file.json` first, then each `--set name=value` over it. */
import { readFileSync } from "node:fs";
import { fail } from "./fail.ts";

/** Values stay text; the job's declarations give them their type. */
export function readParameters(options: {
  readonly set?: readonly string[];
  readonly params?: string;
}): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> =
    options.params === undefined ? {} : { ...readFile(options.params) };
  for (const assignment of options.set ?? []) {
    const at = assignment.indexOf("=");
    if (at < 1) throw fail("CLIENT_BAD_PARAMETER", { fields: { given: assignment } });
    values[assignment.slice(0, at)] = assignment.slice(at + 1);
  }
  return values;
}

function readFile(path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw fail("CLIENT_BAD_PARAMETER_FILE", { fields: { file: path }, cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  const holds = Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
  throw fail("CLIENT_BAD_PARAMETER_FILE", { fields: { file: path, holds } });
}
