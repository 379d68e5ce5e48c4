/** The contract against Flink's, and as an OpenAPI description. */
import { expect, test } from "vitest";
import { flinkFields } from "./flink-fields.fixture.ts";
import { openApi } from "./open-api.ts";
import { type Route, type RouteName, routes } from "./routes.ts";

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}
const all = Object.entries(routes) as [RouteName, Route][];

function fieldsOf(schema: Schema, at = ""): readonly string[] {
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
      const path = at === "" ? name : `${at}.${name}`;
      return [path, ...fieldsOf(inner, path)];
    }),
    ...(schema.items === undefined ? [] : [`${at}[]`, ...fieldsOf(schema.items, `${at}[]`)]),
    ...(schema.anyOf ?? []).flatMap((one) => fieldsOf(one, at)),
  ];
}
const words = (text = "") => text.split(" ").filter((word) => word !== "");
/** Lists of what is plain are named by themselves; errors are ours throughout. */
const shown = (fields: readonly string[]) =>
  [...new Set(fields)]
    .filter((field) => !/(error|failure-cause)\.(?!class|stack-trace|error$)/.test(field))
    .sort();

test.each(Object.entries(flinkFields))(
  "the fields of %s are Flink's, but for those that are listed",
  (name, { flink, without, beyond }) => {
    const named = new Set(words(flink));
    for (const field of words(without)) expect(named.delete(field), field).toBe(true);
    for (const field of words(beyond)) {
      expect(named.has(field), field).toBe(false);
      named.add(field);
    }
    const ours = shown(fieldsOf(routes[name as RouteName].answer as Schema));
    // Elements of a list have a line of their own only where they have fields.
    const plain = (field: string) => !field.endsWith("[]");
    expect(ours.filter(plain)).toEqual([...named].filter(plain).sort());
  },
);

test("every path that Flink has too is held against it", () => {
  const ours: readonly RouteName[] = [
    "jobLogs",
    "cancelJob",
    "bundles",
    "uploadBundle",
    "runBundle",
  ];
  expect(all.map(([name]) => name).filter((name) => !(name in flinkFields))).toEqual(ours);
});

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; required: boolean }[];
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly content: Readonly<Record<string, { schema: unknown }>>;
      }
    >
  >;
}

test("the description is OpenAPI 3.1: ids are unique, parameters declared, answers described", () => {
  const description = openApi("1.2.3") as {
    readonly openapi: string;
    readonly info: unknown;
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  expect(description.openapi).toBe("3.1.0");
  expect(description.info).toEqual({ title: "Millrace REST API", version: "1.2.3" });
  const ids: string[] = [];
  for (const [path, methods] of Object.entries(description.paths)) {
    expect(path).toMatch(/^\/v1\/[a-z{]/);
    for (const [method, operation] of Object.entries(methods)) {
      expect(["get", "post", "patch", "delete"]).toContain(method);
      ids.push(operation.operationId);
      const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{[^}]+\}/g) ?? []);
      expect(inPath.every(({ required }) => required)).toBe(true);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^(20[02]|default)$/);
        expect(response.description).not.toBe("");
        expect(typeof response.content["application/json"]?.schema).toBe("object");
      }
    }
  }
  expect(ids.toSorted()).toEqual(Object.keys(routes).toSorted());
});
