/** Parts of streams that need no stream: routes of keys, types of results, settings of asynchronous calls. */
import type { TypeNode } from "@millrace/data";
import type { AsyncConfig } from "@millrace/graph";
import { assertKnown, badArgument, durationOf } from "./arguments.ts";
import { fail } from "./fail.ts";
import { assertFields } from "./fields.ts";
import { callerPosition, type NodeBuilder, type Route } from "./graph-builder.ts";
import type { AsyncOptions } from "./types.ts";

const defaultCapacity = 100;
const asyncOptions = ["timeout", "capacity", "ordered", "retry", "onTimeout"].concat(
  "open",
  "call",
  "close",
  "output",
);

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

/** Throws `PARTITION_OUT_OF_RANGE` with the place of the call that named the function. */
export function checkedPartition(
  partition: (key: never, channels: number) => unknown,
): (key: never, channels: number) => number {
  const at = callerPosition() ?? "";
  return (key, channels) => {
    const channel = partition(key, channels);
    if (Number.isInteger(channel) && (channel as number) >= 0 && (channel as number) < channels)
      return channel as number;
    const answered = typeof channel === "number" ? channel : typeof channel;
    throw fail("PARTITION_OUT_OF_RANGE", { fields: { answered: String(answered), channels, at } });
  };
}

/**
 * The operator whose stream this is: the one that a setting is meant for. Throws for a view, where it would change the operator above,
 * or one of several.
 */
export function ownOperator(routes: readonly Route[], setting: string): NodeBuilder {
  const [route] = routes;
  if (route === undefined) throw fail("BUILD_FOREIGN_STREAM");
  const view = viewOf(routes, route);
  if (view === undefined) return route.from;
  throw fail("BUILD_BAD_ARGUMENT", {
    fields: {
      argument: setting,
      value: `on ${view} of ${route.from.draft.name}`,
      allowed: `on what an operator returns: call ${setting} before, or on the operator that follows`,
    },
  });
}

function viewOf(routes: readonly Route[], route: Route): string | undefined {
  if (routes.length > 1) return "a union";
  if (route.side !== undefined) return "a side output";
  if (route.key !== undefined) return "a keyed stream";
  return route.explicit === true ? `a stream after ${route.partitioning}()` : undefined;
}

/** The type of what all these routes carry. */
export function retype(routes: readonly Route[], type: TypeNode): void {
  for (const { from, side } of routes) {
    const { draft } = from;
    if (side === undefined) draft.outputType = type;
    else draft.sideOutputs = { ...draft.sideOutputs, [side]: type };
  }
}

export function asyncConfigOf(options: AsyncOptions<never, unknown> | undefined): AsyncConfig {
  if (options?.timeout === undefined)
    throw badArgument("timeout", undefined, 'a duration such as "10s": a call has to end');
  assertKnown("mapAsync", options, asyncOptions);
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
