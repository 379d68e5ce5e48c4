/** Key selectors of an edge: a field, a tuple of fields, or the user's function. */
import type { LogicalEdge } from "@millrace/graph";
import { fail } from "./fail.ts";

export type KeySelector = (value: unknown) => unknown;

/** Undefined for an edge without a key. `functions` are those of the operator that the edge leads to. */
export function keySelectorOf(
  key: LogicalEdge["key"] | null | undefined,
  functions: Readonly<Record<string, unknown>>,
): KeySelector | undefined {
  if (key === undefined || key === null) return undefined;
  if ("function" in key) return functionNamed(functions, key.function) as KeySelector;
  const { fields } = key;
  const only = fields[0];
  if (key.single && only !== undefined)
    return (value) => (value as Readonly<Record<string, unknown>>)[only];
  return (value) => fields.map((field) => (value as Readonly<Record<string, unknown>>)[field]);
}

/** The one field that is the key. */
export function keyFieldOf(key: LogicalEdge["key"] | null | undefined): string | undefined {
  return key !== undefined && key !== null && "fields" in key && key.single
    ? key.fields[0]
    : undefined;
}

export function functionNamed(functions: Readonly<Record<string, unknown>>, name: string): unknown {
  const fn = functions[name];
  if (typeof fn !== "function") throw fail("TASK_FUNCTION_MISSING", { fields: { function: name } });
  return fn;
}
