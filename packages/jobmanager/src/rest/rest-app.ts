/**
 * What REST answers, without a socket: the route table of the protocol, each row with its handler. Served under `/v1` and, for Flink's
 * tools, without it.
 *
 * RST-1  A body or query that is not of the schema is refused with `REST_BAD_REQUEST` before a handler sees it; an answer that is not of
 *        its schema never leaves, and of one that is nothing undeclared does.
 * RST-2  Every error answers `{ errors, error }` with a code; a user's fault is 4xx, everything else 5xx.
 */
import { errorInfo, type Logger } from "@millrace/base";
import {
  answerErrors,
  bodyErrors,
  declaredPart,
  openApi,
  type Route,
  type RouteName,
  routes,
} from "@millrace/protocol/rest";
import type { MetricsText } from "@millrace/telemetry";
import { fail } from "../fail.ts";
import { version } from "./cluster-view.ts";
import { Refusal, restError } from "./errors.ts";
import { createHandlers, type Handler, type HandlerContext } from "./handlers.ts";
import { Router } from "./router.ts";

export interface RestContext extends HandlerContext {
  readonly logger: Logger;
  /** Prometheus text of this process. */
  readonly metricsText: () => MetricsText;
}
export interface RestRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly contentType?: string | undefined;
  /** Read once the route is known. Rejects with a `Refusal` when it is too large. */
  readonly body: () => Promise<Uint8Array>;
}
export interface RestResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}
export type RestApp = (request: RestRequest) => Promise<RestResponse>;

interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly request: RestRequest;
}
type Target = (call: Call) => RestResponse | Promise<RestResponse>;

const binaryTypes = ["application/javascript", "text/javascript", "application/octet-stream"];
const json = "application/json; charset=utf-8";

export function createRestApp(context: RestContext): RestApp {
  const router = routerOf(context);
  return async (request) => {
    try {
      const [path = "", query = ""] = splitOnce(request.url, "?");
      const found = find(router, request.method === "HEAD" ? "GET" : request.method, path);
      if (found === undefined) throw fail("REST_NOT_FOUND", { fields: { path: request.url } });
      const { target, params } = found;
      return await target({ params, query: new URLSearchParams(query), request });
    } catch (error) {
      const { status, body } = restError(error);
      if (status >= 500)
        context.logger.error("request failed", {
          code: body.error.code,
          error: errorInfo(error).cause?.message ?? body.error.message,
        });
      return { status, contentType: json, body: JSON.stringify(body) };
    }
  };
}

function routerOf(context: RestContext): Router<Target> {
  const router = new Router<Target>();
  const handlers = createHandlers(context);
  const description = JSON.stringify(openApi(version));
  for (const prefix of ["/v1", ""]) {
    for (const [name, route] of Object.entries(routes) as [RouteName, Route][])
      router.add(route.method, `${prefix}${route.path}`, targetOf(route, handlers[name]));
    router.add("GET", `${prefix}/openapi.json`, () => ({
      status: 200,
      contentType: json,
      body: description,
    }));
  }
  router.add("GET", "/metrics", () => {
    const { contentType, text } = context.metricsText();
    return { status: 200, contentType, body: text };
  });
  return router;
}

function find(router: Router<Target>, method: string, path: string) {
  try {
    return router.find(method, path);
  } catch {
    throw new Refusal(400, { reason: `'${path}' is not a valid url component` });
  }
}

function targetOf(route: Route, handler: Handler): Target {
  return async ({ params, query, request }) => {
    const given = queryOf(route, query);
    // An absent body is an empty one: curl -X POST must do.
    const body = (await bodyOf(request, route)) ?? (route.body === undefined ? undefined : {});
    const problems = bodyErrors(route, body);
    if (problems.length > 0) throw new Refusal(400, { problems });
    const answer = await handler({ params, query: given, body });
    const wrong = answerErrors(route, answer);
    if (wrong.length > 0)
      throw fail("REST_INTERNAL", { fields: { path: route.path, problems: wrong } });
    // A copy, since what a handler answers may be a part of what it shows.
    const text = JSON.stringify(declaredPart(route, JSON.parse(JSON.stringify(answer))));
    return { status: route.status, contentType: json, body: text };
  };
}

function queryOf(route: Route, query: URLSearchParams): Readonly<Record<string, string>> {
  const known = route.query ?? [];
  const problems = [...new Set(query.keys())].flatMap((name) => {
    if (!known.includes(name)) return [`must not have additional properties: ${name}`];
    return query.getAll(name).length > 1 ? [`/${name} must be string`] : [];
  });
  if (problems.length > 0) throw new Refusal(400, { problems });
  return Object.fromEntries(query);
}

/** Parsed JSON, or the bytes of a module. */
async function bodyOf(
  { method, contentType, body }: RestRequest,
  { binary }: Route,
): Promise<unknown> {
  if (method === "GET" || method === "HEAD") return undefined;
  const bytes = await body();
  const [type = ""] = splitOnce(contentType ?? "", ";");
  const name = type.trim().toLowerCase();
  if (binary === true && binaryTypes.includes(name)) return bytes;
  if (name === "" && bytes.length === 0) return undefined;
  if (name !== "application/json") throw new Refusal(415, { reason: "Unsupported Media Type" });
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new Refusal(400, { reason: (error as Error).message });
  }
}

function splitOnce(text: string, at: string): readonly [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
