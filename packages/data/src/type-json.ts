/** Types as JSON, checked when they come back: what graphs, segments and plans carry (TYP-2). */
import { fail } from "./fail.ts";
import type { FieldNode, TypeNode } from "./type.ts";

const scalars = [
  "string",
  "boolean",
  "int32",
  "int64",
  "bigint",
  "float64",
  "timestamp",
  "bytes",
  "json",
  "unknown",
] as const;
type Scalar = (typeof scalars)[number];
const maxTypeDepth = 64;

/** A deep copy that is pure JSON. Throws `DATA_BAD_TYPE` when the node is malformed. */
export function typeToJson(type: TypeNode): unknown {
  return typeFromJson(type);
}

/** Throws `DATA_BAD_TYPE` (fields `path`, `reason`) for anything that is not a type. */
export function typeFromJson(json: unknown, path = "", depth = 0): TypeNode {
  const bad = (reason: string) => fail("DATA_BAD_TYPE", { fields: { path, reason } });
  if (depth > maxTypeDepth) throw bad("nested too deeply");
  if (typeof json !== "object" || json === null) throw bad("not an object");
  const { kind, of, values, items, fields } = json as Readonly<Record<string, unknown>>;
  switch (kind) {
    case "nullable":
    case "array":
    case "map": {
      const inner = typeFromJson(
        of,
        `${path}${kind === "array" ? "[]" : kind === "map" ? "{}" : ""}`,
        depth + 1,
      );
      if (kind === "nullable" && inner.kind === "nullable") throw bad("nullable twice");
      return { kind, of: inner };
    }
    case "enum": {
      if (
        !Array.isArray(values) ||
        values.length === 0 ||
        !values.every((v) => typeof v === "string")
      )
        throw bad("enum without values");
      if (new Set(values).size !== values.length) throw bad("enum value twice");
      return { kind, values: [...(values as string[])] };
    }
    case "tuple":
      if (!Array.isArray(items)) throw bad("tuple without items");
      return {
        kind,
        items: items.map((item, i) => typeFromJson(item, `${path}[${i}]`, depth + 1)),
      };
    case "object": {
      if (!Array.isArray(fields)) throw bad("object without fields");
      const nodes = fields.map((field) => fieldFromJson(field, path, depth));
      if (new Set(nodes.map((f) => f.name)).size !== nodes.length) throw bad("field twice");
      return { kind, fields: nodes };
    }
    default:
      if (!scalars.includes(kind as Scalar)) throw bad("unknown kind");
      return { kind: kind as Scalar };
  }
}

function fieldFromJson(json: unknown, path: string, depth: number): FieldNode {
  const bad = (reason: string) => fail("DATA_BAD_TYPE", { fields: { path, reason } });
  if (typeof json !== "object" || json === null) throw bad("field is not an object");
  const field = json as Readonly<Record<string, unknown>>;
  const { name, type, optional, was } = field;
  if (typeof name !== "string") throw bad("field without a name");
  if (optional !== undefined && optional !== true) throw bad("optional is not true");
  if (was !== undefined && typeof was !== "string") throw bad("was is not a name");
  return {
    name,
    type: typeFromJson(type, `${path}.${name}`, depth + 1),
    ...(optional === undefined ? {} : { optional }),
    ...(was === undefined ? {} : { was }),
    ...(field["default"] === undefined ? {} : { default: structuredClone(field["default"]) }),
  };
}
