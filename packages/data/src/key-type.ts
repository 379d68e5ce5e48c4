/**
 * Types of keys, as state records them and a restore compares them.
 *
 * KTY-1  Types that fit encode equal keys to equal bytes: all numbers are one type (1 is 1.0), an enum is a string, a type that
 *        admits null is the type without (null is no key). Everything else is another type: its keys would find no row.
 * KTY-2  `unknown` fits everything: keys of several types, or of a declared type whose keys can't be told from it.
 */
import { plainness } from "./plain.ts";
import { type TypeNode, unknownType } from "./type.ts";

const stringType: TypeNode = { kind: "string" };
const numberType: TypeNode = { kind: "float64" };
const booleanType: TypeNode = { kind: "boolean" };
const bigintType: TypeNode = { kind: "bigint" };

/** Of a value that can be a key. The same object for all scalars of one type. */
export function keyTypeOf(key: unknown): TypeNode {
  switch (typeof key) {
    case "string":
      return stringType;
    case "number":
      return numberType;
    case "boolean":
      return booleanType;
    case "bigint":
      return bigintType;
    default:
  }
  if (typeof key !== "object" || key === null) return unknownType;
  if (Array.isArray(key)) return { kind: "tuple", items: key.map(keyTypeOf) };
  if (plainness(key) !== "object") return unknownType;
  return {
    kind: "object",
    fields: Object.entries(key).map(([name, value]) => ({ name, type: keyTypeOf(value) })),
  };
}

/** Of keys that are values of the declared or recorded type. */
export function asKeyType(type: TypeNode): TypeNode {
  switch (type.kind) {
    case "string":
    case "enum":
      return stringType;
    case "int32":
    case "int64":
    case "float64":
    case "timestamp":
      return numberType;
    case "boolean":
      return booleanType;
    case "bigint":
      return bigintType;
    case "nullable":
      return asKeyType(type.of);
    case "tuple":
      return { kind: "tuple", items: type.items.map(asKeyType) };
    case "object":
      if (type.fields.some((field) => field.optional === true)) return unknownType;
      return {
        kind: "object",
        fields: type.fields.map(({ name, type }) => ({ name, type: asKeyType(type) })),
      };
    default:
      return unknownType;
  }
}

/** Of keys that are of one type or the other; both as `keyTypeOf` and `asKeyType` give them. */
export function joinKeyTypes(a: TypeNode, b: TypeNode): TypeNode {
  if (a === b) return a;
  if (a.kind === "tuple" && b.kind === "tuple" && a.items.length === b.items.length)
    return {
      kind: "tuple",
      items: a.items.map((item, i) => joinKeyTypes(item, b.items[i] as TypeNode)),
    };
  if (a.kind === "object" && b.kind === "object") {
    const others = new Map(b.fields.map(({ name, type }) => [name, type]));
    if (a.fields.length !== others.size || !a.fields.every(({ name }) => others.has(name)))
      return unknownType;
    return {
      kind: "object",
      fields: a.fields.map(({ name, type }) => ({
        name,
        type: joinKeyTypes(type, others.get(name) as TypeNode),
      })),
    };
  }
  return a.kind === b.kind && a.kind !== "tuple" ? a : unknownType;
}

/** KTY-1, KTY-2 */
export function keyTypesFit(a: TypeNode, b: TypeNode): boolean {
  if (a.kind === "unknown" || b.kind === "unknown") return true;
  if (a.kind === "tuple" && b.kind === "tuple")
    return (
      a.items.length === b.items.length &&
      a.items.every((item, i) => keyTypesFit(item, b.items[i] as TypeNode))
    );
  if (a.kind === "object" && b.kind === "object") {
    const others = new Map(b.fields.map(({ name, type }) => [name, type]));
    return (
      a.fields.length === others.size &&
      a.fields.every(({ name, type }) => {
        const other = others.get(name);
        return other !== undefined && keyTypesFit(type, other);
      })
    );
  }
  return a.kind === b.kind;
}
