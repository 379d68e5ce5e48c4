/**
 * `t`: type descriptors as users write them. The brands are type-level only; at run time a descriptor carries its
 * `TypeNode` behind `typeSymbol` and is immutable: every method gives a new one.
 *
 * TYP-3  `Infer<typeof D>` is the TypeScript type of the values that `checkValue(typeNodeOf(D), …)` accepts.
 */
import { fail } from "./fail.ts";
import {
  type FieldNode,
  type TypeCarrier,
  type TypeNode,
  typeSymbol,
  unknownType,
} from "./type.ts";
import { typeFromJson } from "./type-json.ts";
import { valueToJson } from "./value-json.ts";

declare const typeBrand: unique symbol;

/** A type of values `T`. Invariant: a `Type<1 | 2>` is neither a `Type<number>` nor the other way round. */
export interface Type<in out T> {
  readonly [typeBrand]: (value: T) => T;
  nullable(): Type<T | null>;
  optional(): OptionalType<T>;
  /** Evolution: value for rows written before the field existed. */
  default(value: T): Type<T>;
  /** Evolution: this field was called `oldName` in earlier segments. */
  was(oldName: string): Type<T>;
}
/** Only as a field of `t.object`: the property may be absent. */
export interface OptionalType<in out T> extends Type<T> {
  readonly isOptional: true;
}
/** A descriptor of whatever type. */
export interface AnyType {
  readonly [typeBrand]: (v: never) => unknown;
}
/** The TypeScript type that a descriptor describes. */
export type Infer<D extends Type<never> | { readonly [typeBrand]: (v: never) => unknown }> =
  D extends { readonly [typeBrand]: (value: never) => infer T } ? T : never;
type Shape = Readonly<Record<string, { readonly [typeBrand]: (v: never) => unknown }>>;
type OptionalKeys<S extends Shape> = {
  [K in keyof S]: S[K] extends { readonly isOptional: true } ? K : never;
}[keyof S];
type Simplify<T> = { [K in keyof T]: T[K] } & {};
type FromShape<S extends Shape> = Simplify<
  { [K in Exclude<keyof S, OptionalKeys<S>>]: Infer<S[K]> } & {
    [K in OptionalKeys<S>]?: Infer<S[K]>;
  }
>;

export interface TypeBuilder {
  readonly string: Type<string>;
  readonly boolean: Type<boolean>;
  readonly int32: Type<number>;
  /** A JS number; values beyond ±2^53 are an error, never rounded. For more: `t.bigint`. */
  readonly int64: Type<number>;
  readonly bigint: Type<bigint>;
  readonly float64: Type<number>;
  /** Milliseconds since the epoch, UTC, as a number. */
  readonly timestamp: Type<number>;
  readonly bytes: Type<Uint8Array>;
  enum<const V extends readonly string[]>(...values: V): Type<V[number]>;
  object<S extends Shape>(shape: S): Type<FromShape<S>>;
  array<T>(of: Type<T>): Type<T[]>;
  map<V>(of: Type<V>): Type<Readonly<Record<string, V>>>;
  /** Stored as JSON, declared on purpose; no evolution but add and drop. */
  json<T>(): Type<T>;
  /** TypeScript witness only: allowed on streams (adaptive columns), refused in state. */
  of<T>(): Type<T>;
}

type Carried = TypeCarrier[typeof typeSymbol];

export const t: TypeBuilder = Object.freeze({
  string: scalar<string>("string"),
  boolean: scalar<boolean>("boolean"),
  int32: scalar<number>("int32"),
  int64: scalar<number>("int64"),
  bigint: scalar<bigint>("bigint"),
  float64: scalar<number>("float64"),
  timestamp: scalar<number>("timestamp"),
  bytes: scalar<Uint8Array>("bytes"),
  enum: <const V extends readonly string[]>(...values: V) =>
    describe<V[number]>({ kind: "enum", values }),
  object: <S extends Shape>(shape: S) =>
    describe<FromShape<S>>({
      kind: "object",
      fields: Object.entries(shape).map(([name, type]) => fieldOf(name, type)),
    }),
  array: <T>(of: Type<T>) => describe<T[]>({ kind: "array", of: typeNodeOf(of) }),
  map: <V>(of: Type<V>) =>
    describe<Readonly<Record<string, V>>>({ kind: "map", of: typeNodeOf(of) }),
  json: <T>() => describe<T>({ kind: "json" }),
  of: <T>() => describe<T>(unknownType),
});

/** The structure behind a descriptor, also one made by another copy of this module. Throws `DATA_BAD_TYPE`. */
export function typeNodeOf(type: unknown): TypeNode {
  const { optional: _optional, was: _was, default: _default, ...node } = carriedBy(type);
  return node as TypeNode;
}

/** Public descriptor of a node: what a connector hands to user code. */
export function typeOf<T>(node: TypeNode): Type<T> {
  return describe<T>(node);
}

function carriedBy(type: unknown): Carried {
  const node =
    typeof type === "object" && type !== null
      ? (type as Partial<TypeCarrier>)[typeSymbol]
      : undefined;
  if (node === undefined)
    throw fail("DATA_BAD_TYPE", { fields: { path: "", reason: "not made by t.*" } });
  return node;
}

function fieldOf(name: string, type: unknown): FieldNode {
  const { optional, was, default: byDefault } = carriedBy(type);
  return {
    name,
    type: typeNodeOf(type),
    ...(optional === undefined ? {} : { optional }),
    ...(was === undefined ? {} : { was }),
    ...(byDefault === undefined ? {} : { default: byDefault }),
  };
}

function scalar<T>(
  kind: "string" | "boolean" | "int32" | "int64" | "bigint" | "float64" | "timestamp" | "bytes",
): Type<T> {
  return describe<T>({ kind });
}

function describe<T>(carried: Carried): Type<T> {
  const { optional, was: oldName, default: byDefault, ...node } = carried;
  const bare = typeFromJson(node);
  const extras = {
    ...(optional === undefined ? {} : { optional }),
    ...(oldName === undefined ? {} : { was: oldName }),
    ...(byDefault === undefined ? {} : { default: byDefault }),
  };
  const descriptor = {
    [typeSymbol]: Object.freeze({ ...bare, ...extras }),
    nullable: () =>
      describe<T | null>(
        bare.kind === "nullable"
          ? { ...bare, ...extras }
          : { kind: "nullable", of: bare, ...extras },
      ),
    optional: () => describe<T>({ ...bare, ...extras, optional: true }) as OptionalType<T>,
    default: (value: T) => describe<T>({ ...bare, ...extras, default: valueToJson(bare, value) }),
    was: (name: string) => describe<T>({ ...bare, ...extras, was: name }),
    ...(optional === true ? { isOptional: true } : {}),
  };
  return Object.freeze(descriptor) as unknown as Type<T>;
}
