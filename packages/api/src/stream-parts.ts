/** Parts of streams that need no stream: routes of keys, types of results, settings of asynchronous calls. */
import type { TypeNode } from "@millrace/data";
import { unknownType } from "@millrace/data";
import type { AsyncConfig } from "@millrace/graph";
import { badArgument, durationOf } from "./arguments.ts";
import { fail } from "./fail.ts";
import { assertFields } from "./fields.ts";
import type { Route } from "./graph-builder.ts";
import type { AsyncOptions } from "./types.ts";

const defaultCapacity = 100;

export function keyedRoute(route: Route, by: unknown, type: TypeNode): Route {
  const { from, side } = route;
  const base = { from, ...(side === undefined ? {} : { side }), partitioning: "hash" as const };
  if (typeof by === "function") return { ...base, key: { fn: by as (value: never) => unknown } };
  const fields = typeof by === "string" ? [by] : (by as readonly string[]);
  if (!Array.isArray(fields) || fields.length === 0)
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: { argument: "keyBy", allowed: "a field, a list of fields, or a function" },
    });
  assertFields(type, fields, "keyBy");
  return { ...base, key: { fields, single: typeof by === "string" } };
}

export function presentType(type: TypeNode, fields: readonly string[]): TypeNode {
  if (type.kind !== "object") return type;
  return {
    kind: "object",
    fields: type.fields.map((field) => {
      if (!fields.includes(field.name)) return field;
      const { optional: _optional, ...rest } = field;
      return { ...rest, type: field.type.kind === "nullable" ? field.type.of : field.type };
    }),
  };
}

export function commonType(types: readonly TypeNode[]): TypeNode {
  const [first] = types;
  return first !== undefined &&
    types.every((type) => JSON.stringify(type) === JSON.stringify(first))
    ? first
    : unknownType;
}

export function asyncConfigOf(options: AsyncOptions<never, unknown> | undefined): AsyncConfig {
  if (options?.timeout === undefined)
    throw badArgument("timeout", undefined, 'a duration such as "10s": a call has to end');
  const capacity = options.capacity ?? defaultCapacity;
  if (!Number.isInteger(capacity) || capacity < 1)
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: { argument: "capacity", value: String(capacity), allowed: "a whole number from 1" },
    });
  const { retry } = options;
  if (retry !== undefined && (!Number.isInteger(retry.attempts) || retry.attempts < 0))
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: {
        argument: "retry.attempts",
        value: String(retry.attempts),
        allowed: "a whole number from 0",
      },
    });
  return {
    timeoutMs: durationOf("timeout", options.timeout),
    capacity,
    ordered: options.ordered !== false,
    retry:
      retry === undefined
        ? null
        : { attempts: retry.attempts, backoffMs: durationOf("retry.backoff", retry.backoff) },
  };
}
