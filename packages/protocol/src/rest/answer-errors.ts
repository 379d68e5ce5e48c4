/** Holds an answer against its route's schema: servers' tests and clients look with the same eyes. */
import Value from "typebox/value";
import type { Route } from "./routes.ts";

/** What is wrong with an answer, in words; nothing when it is of the schema. */
export function answerErrors(route: Route, answer: unknown): readonly string[] {
  return Value.Errors(route.answer, answer).map(
    (error) => `${error.instancePath === "" ? "/" : error.instancePath}: ${error.message}`,
  );
}
