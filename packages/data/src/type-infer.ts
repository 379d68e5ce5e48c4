/**
 * The type of values seen so far, for state that an operator keeps for its user and nobody declared.
 *
 * INF-1  The result accepts the value, and everything that `previous` accepted: types only widen.
 * INF-2  A value seen first with `undefined` as `previous` gives its own type: `null` alone is `nullable(unknown)` and an empty array
 *        is the empty tuple; both take the type of what comes later. `unknown` itself is the top and stays.
 */

import { plainness } from "./plain.ts";
import { type FieldNode, type TypeNode, unknownType } from "./type.ts";

/** Objects with more different fields are maps in disguise: `unknown`. */
const maxInferredFields = 64;
const maxInferredDepth = 8;

export function inferType(value: unknown, previous: TypeNode | undefined): TypeNode {
  if (previous?.kind === "unknown") return previous;
  const seen = typeOfValue(value, 0);
  return previous === undefined ? seen : joinTypes(previous, seen);
}

/** The smallest type that accepts what either accepts, within the rules above. */
export function joinTypes(a: TypeNode, b: TypeNode): TypeNode {
  if (a.kind === "unknown" || b.kind === "unknown") return unknownType;
  if (a.kind === "nullable" || b.kind === "nullable") {
    const x = a.kind === "nullable" ? a.of : a;
    const y = b.kind === "nullable" ? b.of : b;
    if (x.kind === "unknown") return { kind: "nullable", of: y };
    if (y.kind === "unknown") return { kind: "nullable", of: x };
    const joined = joinTypes(x, y);
    return joined.kind === "unknown" ? joined : { kind: "nullable", of: joined };
  }
  if (a.kind === "array" && b.kind === "array") return { kind: "array", of: joinTypes(a.of, b.of) };
  if (a.kind === "array" && isEmptyTuple(b)) return a;
  if (isEmptyTuple(a) && (b.kind === "array" || isEmptyTuple(b))) return b;
  if (a.kind === "object" && b.kind === "object") return joinObjects(a.fields, b.fields);
  if (a.kind === "tuple" || b.kind === "tuple" || a.kind === "object" || b.kind === "object")
    return unknownType;
  if (a.kind === b.kind && a.kind !== "enum" && a.kind !== "map" && a.kind !== "array") return a;
  if (isNumber(a) && isNumber(b)) return { kind: "float64" };
  return unknownType;
}

function typeOfValue(value: unknown, depth: number): TypeNode {
  switch (typeof value) {
    case "string":
      return { kind: "string" };
    case "boolean":
      return { kind: "boolean" };
    case "bigint":
      return { kind: "bigint" };
    case "number":
      return { kind: (value | 0) === value && !Object.is(value, -0) ? "int32" : "float64" };
    case "object":
      break;
    default:
      return unknownType;
  }
  if (value === null) return { kind: "nullable", of: unknownType };
  if (depth === maxInferredDepth) return unknownType;
  switch (plainness(value)) {
    case "bytes":
      return { kind: "bytes" };
    case "array": {
      let of: TypeNode | undefined;
      for (const item of value as readonly unknown[]) {
        const seen = typeOfValue(item, depth + 1);
        of = of === undefined ? seen : joinTypes(of, seen);
        if (of.kind === "unknown") break;
      }
      return of === undefined ? { kind: "tuple", items: [] } : { kind: "array", of };
    }
    case "object": {
      const names = Object.keys(value);
      if (names.length > maxInferredFields) return unknownType;
      return {
        kind: "object",
        fields: names.map((name) => ({
          name,
          type: typeOfValue((value as Record<string, unknown>)[name], depth + 1),
        })),
      };
    }
    default:
      return unknownType;
  }
}

function joinObjects(a: readonly FieldNode[], b: readonly FieldNode[]): TypeNode {
  const fields: FieldNode[] = a.map((field) => {
    const other = b.find((f) => f.name === field.name);
    if (other === undefined) return { name: field.name, type: field.type, optional: true };
    const optional = field.optional === true || other.optional === true;
    return {
      name: field.name,
      type: joinTypes(field.type, other.type),
      ...(optional ? { optional } : {}),
    };
  });
  for (const field of b) {
    if (!a.some((f) => f.name === field.name))
      fields.push({ name: field.name, type: field.type, optional: true });
  }
  return fields.length > maxInferredFields ? unknownType : { kind: "object", fields };
}

function isEmptyTuple(type: TypeNode): boolean {
  return type.kind === "tuple" && type.items.length === 0;
}
function isNumber(type: TypeNode): boolean {
  return (
    type.kind === "int32" ||
    type.kind === "int64" ||
    type.kind === "float64" ||
    type.kind === "timestamp"
  );
}
