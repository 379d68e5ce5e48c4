/** Holds bodies and answers against their route's schemas: servers, their tests and clients look with the same eyes. */
import Value from "typebox/value";
import type { Route } from "./routes.ts";

/** What is wrong with an answer, in words; nothing when it is of the schema. */
export function answerErrors(route: Route, answer: unknown): readonly string[] {
  return Value.Errors(route.answer, answer).map(
    (error) => `${error.instancePath === "" ? "/" : error.instancePath}: ${error.message}`,
  );
}

/** What is wrong with a body, in words; nothing when it is of the schema, or the route declares none. */
export function bodyErrors({ body: schema }: Route, body: unknown): readonly string[] {
  if (schema === undefined) return [];
  return Value.Errors(schema, body)
    .filter(({ keyword }) => keyword !== "boolean")
    .map(({ instancePath, message, params }) => {
      const text = `${instancePath} ${message}`.trim();
      const unknown = "additionalProperties" in params ? params.additionalProperties : undefined;
      return Array.isArray(unknown) ? `${text}: ${unknown.join(", ")}` : text;
    });
}

/** An answer without what its schema does not declare. It is taken apart: give it something that nobody else holds. */
export function declaredPart({ answer: schema }: Route, answer: unknown): unknown {
  return Value.Clean(schema, answer);
}
