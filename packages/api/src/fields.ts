/** Checks of field names against a stream's type. */
import { nearest } from "@millrace/base";
import { type AnyType, type TypeNode, typeNodeOf } from "@millrace/data";
import { fail } from "./fail.ts";

/** A typed stream's fields are known before anything runs. */
export function assertFields(
  type: TypeNode,
  fields: readonly string[],
  argument: string,
  kind: "any" | "numbers" = "any",
): void {
  if (type.kind !== "object") return;
  const names = type.fields
    .filter((field) => kind === "any" || mayBeNumber(field.type))
    .map((field) => field.name);
  for (const field of fields) {
    if (!names.includes(field))
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: {
          argument,
          value: field,
          ...(kind === "numbers" && type.fields.some(({ name }) => name === field)
            ? { reason: "not a number" }
            : { nearest: nearest(field, names) ?? "" }),
          allowed: names,
        },
      });
  }
}

const numbers: ReadonlySet<TypeNode["kind"]> = new Set([
  "int32",
  "int64",
  "float64",
  "timestamp",
  "json",
  "unknown",
]);
function mayBeNumber(type: TypeNode): boolean {
  return type.kind === "nullable" ? mayBeNumber(type.of) : numbers.has(type.kind);
}

export function sideTypesOf(
  sides: Readonly<Record<string, AnyType>> | undefined,
): Readonly<Record<string, TypeNode>> {
  return Object.fromEntries(
    Object.entries(sides ?? {}).map(([name, type]) => [name, typeNodeOf(type)]),
  );
}
