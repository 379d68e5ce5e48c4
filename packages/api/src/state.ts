/** State that a user declares: in the operator's spec, visible before the job starts. */
import { type Type, typeNodeOf, valueToJson } from "@millrace/data";
import type { StateConfig, StateConfigs } from "@millrace/graph";
import { assertKnown } from "./arguments.ts";
import { fail } from "./fail.ts";

/** `Absent` is `undefined`, or nothing when the state was declared with a default. */
export interface ValueState<T, Absent = undefined> {
  value(): T | Absent;
  update(value: T): void;
  clear(): void;
}
declare const declBrand: unique symbol;
export interface StateDecl<out H> {
  readonly [declBrand]: () => H;
}
export type StateDecls = Readonly<Record<string, StateDecl<unknown>>>;
export type NoState = Readonly<Record<never, never>>;
export type Handles<D> = { readonly [N in keyof D]: D[N] extends StateDecl<infer H> ? H : never };
const stateSymbol = Symbol.for("millrace.state");

function value<T>(type: Type<T>): StateDecl<ValueState<T>>;
function value<T>(type: Type<T>, options: { default: NoInfer<T> }): StateDecl<ValueState<T, never>>;
function value<T>(type: Type<T>, options?: { default: NoInfer<T> }): StateDecl<ValueState<T>> {
  const node = typeNodeOf(type);
  if (node.kind === "unknown")
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: {
        argument: "type",
        value: "t.of()",
        allowed: "a real type: t.of is a witness for the compiler only",
      },
    });
  assertKnown("state.value", options ?? {}, ["default"]);
  const hasDefault = options !== undefined && "default" in options;
  const config: StateConfig = {
    kind: "value",
    type: node,
    hasDefault,
    default: hasDefault ? valueToJson(node, options.default) : null,
  };
  return { [stateSymbol]: config } as unknown as StateDecl<ValueState<T>>;
}
export const state = { value } as const;

export function stateConfigsOf(declarations: StateDecls | undefined): StateConfigs {
  const configs: Record<string, StateConfig> = {};
  for (const [name, declaration] of Object.entries(declarations ?? {})) {
    const config = (declaration as { readonly [stateSymbol]?: StateConfig } | undefined)?.[
      stateSymbol
    ];
    if (config === undefined)
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: { argument: `state.${name}`, allowed: "what state.value(…) returned" },
      });
    configs[name] = config;
  }
  return configs;
}
