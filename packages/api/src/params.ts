/** Parameters of a job: declared once, given at submission, the same at every later build. */
import { nearest, parseDuration } from "@millrace/base";
import type { Duration, Millis } from "./duration.ts";
import { fail } from "./fail.ts";

export interface Param<out T> {
  readonly value: T;
}
/** A reference: the value is looked up where the job's tasks run, and is never in plan, store or REST. */
export interface Secret {
  readonly secret: string;
}
export type ParamDecls = Readonly<Record<string, Param<unknown>>>;
export type ParamValues<P extends ParamDecls> = {
  readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never;
};

interface Declaration {
  readonly kind: "string" | "number" | "boolean" | "duration" | "secret";
  readonly default: unknown;
  readonly help: string;
}
const paramSymbol = Symbol.for("millrace.param");

export const param = {
  string: (options: { default?: string; help?: string } = {}): Param<string> =>
    declare("string", options),
  number: (options: { default?: number; help?: string } = {}): Param<number> =>
    declare("number", options),
  boolean: (options: { default?: boolean; help?: string } = {}): Param<boolean> =>
    declare("boolean", options),
  duration: (options: { default?: Duration; help?: string } = {}): Param<Millis> =>
    declare("duration", options),
  /** Stored as a reference; resolved in the runner, never in plan, store or REST. */
  secret: (options: { help?: string } = {}): Param<Secret> => declare("secret", options),
} as const;

function declare<T>(
  kind: Declaration["kind"],
  options: { default?: unknown; help?: string },
): Param<T> {
  const declaration: Declaration = { kind, default: options.default, help: options.help ?? "" };
  return { [paramSymbol]: declaration } as unknown as Param<T>;
}

/** Values of all declared parameters. Throws `PARAM_UNKNOWN`, `PARAM_MISSING`, `PARAM_BAD_VALUE`. */
export function resolveParams(
  declarations: ParamDecls | undefined,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = Object.keys(declarations ?? {});
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw fail("PARAM_UNKNOWN", {
        fields: {
          parameter: name,
          nearest: nearest(name, names) ?? "",
          parameters: names.length === 0 ? "none" : names,
        },
      });
  }
  const values: Record<string, unknown> = {};
  for (const [name, param] of Object.entries(declarations ?? {})) {
    const declaration = (param as unknown as { readonly [paramSymbol]?: Declaration })[paramSymbol];
    if (declaration === undefined)
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: {
          argument: `params.${name}`,
          allowed: "param.string(), param.number() and the like",
        },
      });
    if (declaration.kind === "secret") {
      if (name in given)
        throw fail("PARAM_SECRET_GIVEN", {
          fields: {
            parameter: name,
            variable: `MILLRACE_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`,
          },
        });
      values[name] = { secret: name } satisfies Secret;
      continue;
    }
    const value = name in given ? given[name] : declaration.default;
    if (value === undefined)
      throw fail("PARAM_MISSING", {
        fields: { parameter: name, type: declaration.kind, help: declaration.help },
      });
    values[name] = parse(name, declaration.kind, value);
  }
  return values;
}

const allowed: Readonly<Record<Declaration["kind"], string>> = {
  string: "text",
  number: "a finite number",
  boolean: "true or false",
  duration: 'a number with a unit: "250ms", "10s", "5m", "1h" or "7d"',
  secret: "an environment variable",
};
/** Names of the parameters that are secrets. */
export function secretsOf(declarations: ParamDecls | undefined): readonly string[] {
  return Object.entries(declarations ?? {}).flatMap(([name, param]) =>
    (param as unknown as { readonly [paramSymbol]: Declaration })[paramSymbol].kind === "secret"
      ? [name]
      : [],
  );
}

function parse(name: string, kind: Declaration["kind"], value: unknown): unknown {
  const bad = () =>
    fail("PARAM_BAD_VALUE", {
      fields: {
        parameter: name,
        type: kind,
        value: typeof value === "string" ? value : (JSON.stringify(value) ?? String(value)),
        allowed: allowed[kind],
      },
    });
  switch (kind) {
    case "string":
      if (typeof value !== "string") throw bad();
      return value;
    case "number": {
      const n = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof n !== "number" || !Number.isFinite(n)) throw bad();
      return n;
    }
    case "boolean":
      if (value === true || value === "true") return true;
      if (value === false || value === "false") return false;
      throw bad();
    default:
      try {
        return parseDuration(value as string);
      } catch {
        throw bad();
      }
  }
}
