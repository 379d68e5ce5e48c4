/** Types as people read them in plans and errors: `{ origin: string, delay?: float64 | null }`. */
import type { TypeNode } from "./type.ts";

export function typeToText(type: TypeNode): string {
  switch (type.kind) {
    case "enum":
      return type.values.map((v) => JSON.stringify(v)).join(" | ");
    case "nullable":
      return `${typeToText(type.of)} | null`;
    case "array":
      return `${inner(type.of)}[]`;
    case "map":
      return `{ [key]: ${typeToText(type.of)} }`;
    case "tuple":
      return `[${type.items.map(typeToText).join(", ")}]`;
    case "object":
      return type.fields.length === 0
        ? "{}"
        : `{ ${type.fields.map((f) => `${name(f.name)}${f.optional ? "?" : ""}: ${typeToText(f.type)}`).join(", ")} }`;
    default:
      return type.kind;
  }
}

function inner(type: TypeNode): string {
  return type.kind === "nullable" || type.kind === "enum"
    ? `(${typeToText(type)})`
    : typeToText(type);
}
function name(field: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(field) ? field : JSON.stringify(field);
}
