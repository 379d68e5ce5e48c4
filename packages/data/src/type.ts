/**
 * Type descriptors: one value gives the TypeScript type, the columns on the wire and the schema of state.
 *
 * TYP-1  A descriptor is plain data (`TypeNode`) behind a registered symbol, so a bundle's copy and the engine's copy of this
 *        module understand each other; nothing is recognised by class.
 * TYP-2  `toJson(type)` and `typeFromJson` are inverses; the JSON form is what graphs, segments and plans carry.
 */

export const typeSymbol = Symbol.for("millrace.type");

/** The structure of a type. Fields of an object keep their order of declaration: it is the order of columns. */
export type TypeNode =
  | {
      readonly kind:
        | "string"
        | "boolean"
        | "int32"
        | "int64"
        | "bigint"
        | "float64"
        | "timestamp"
        | "bytes"
        | "json";
    }
  /** Known to TypeScript only: adaptive columns on streams, inferred in engine-kept state, refused in declared state. */
  | { readonly kind: "unknown" }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "object"; readonly fields: readonly FieldNode[] }
  | { readonly kind: "array"; readonly of: TypeNode }
  | { readonly kind: "tuple"; readonly items: readonly TypeNode[] }
  | { readonly kind: "map"; readonly of: TypeNode }
  | { readonly kind: "nullable"; readonly of: TypeNode };

export interface FieldNode {
  readonly name: string;
  readonly type: TypeNode;
  /** The property may be absent (and then stays absent, it does not become undefined). */
  readonly optional?: true;
  /** Evolution: the name in older segments. */
  readonly was?: string;
  /** Evolution: the value for rows written before the field existed, JSON-encoded by `valueToJson`. */
  readonly default?: unknown;
}

/** What every public descriptor carries. The public, typed face (`Type<T>`) is built in `t.ts`. */
export interface TypeCarrier {
  readonly [typeSymbol]: TypeNode & {
    readonly optional?: true;
    readonly was?: string;
    readonly default?: unknown;
  };
}

export const unknownType: TypeNode = { kind: "unknown" };
