/** The route table as an OpenAPI description. */
import { type Route, routes } from "./routes.ts";
import { errorSchema } from "./schemas-base.ts";

/** The OpenAPI 3.1 description of the table. */
export function openApi(version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [operationId, route] of Object.entries(routes) as [string, Route][]) {
    const names = [...route.path.matchAll(/:([a-z]+)/g)].map((match) => match[1] ?? "");
    const path = `/v1${route.path.replace(/:([a-z]+)/g, "{$1}")}`;
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: {
        operationId,
        summary: route.summary,
        parameters: [
          ...names.map((name) => ({
            name,
            in: "path",
            required: true,
            schema: { type: "string" },
          })),
          ...(route.query ?? []).map((name) => ({
            name,
            in: "query",
            required: false,
            schema: { type: "string" },
          })),
        ],
        ...(route.binary === true
          ? {
              requestBody: {
                required: true,
                content: {
                  "application/javascript": { schema: { type: "string", format: "binary" } },
                },
              },
            }
          : {}),
        ...(route.body === undefined
          ? {}
          : {
              requestBody: {
                required: false,
                content: { "application/json": { schema: route.body } },
              },
            }),
        responses: {
          [route.status]: {
            description: route.summary,
            content: { "application/json": { schema: route.answer } },
          },
          default: {
            description: "An error with code, cause and fix",
            content: { "application/json": { schema: errorSchema } },
          },
        },
      },
    };
  }
  return { openapi: "3.1.0", info: { title: "Millrace REST API", version }, paths };
}
