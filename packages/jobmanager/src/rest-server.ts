/**
 * The REST server: the route table of the protocol, each row with its handler. Served under `/v1` and, for Flink's tools, without it.
 *
 * RST-1  A body or query that is not of the schema is refused with `REST_BAD_REQUEST` before a handler sees it; an answer that is not of
 *        its schema never leaves, and of one that is nothing undeclared does.
 * RST-2  Every error answers `{ errors, error }` with a code; a user's fault is 4xx, everything else 5xx.
 */
import { errorInfo, type Logger } from "@millrace/base";
import { answerErrors, openApi, type Route, type RouteName, routes } from "@millrace/protocol/rest";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { maxBundleBytes } from "./bundles.ts";
import { fail } from "./fail.ts";
import type { Call } from "./rest/calls.ts";
import { version } from "./rest/cluster-view.ts";
import { restError } from "./rest/errors.ts";
import { createHandlers, type Handler, type HandlerContext } from "./rest/handlers.ts";

export interface RestServer {
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

export interface RestContext extends HandlerContext {
  readonly logger: Logger;
  /** Prometheus text of this process. */
  readonly metricsText: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Listens on `host`:`port` (0: any free port). Rejects `JOBMANAGER_PORT_TAKEN`. */
export async function startRestServer(
  context: RestContext,
  listen: { readonly host: string; readonly port: number },
): Promise<RestServer> {
  const app = createRestApp(context);
  try {
    // It writes into what it is given.
    await app.listen({ ...listen });
  } catch (error) {
    await app.close();
    if ((error as { code?: string }).code === "EADDRINUSE")
      throw fail("JOBMANAGER_PORT_TAKEN", {
        fields: { host: listen.host, port: listen.port, service: "rest" },
        cause: error,
      });
    throw error;
  }
  const bound = app.addresses()[0];
  const port = typeof bound === "object" ? bound.port : listen.port;
  return { port, address: `http://${listen.host}:${port}`, close: () => app.close() };
}

/** The server without a socket, for tests. */
export function createRestApp(context: RestContext): FastifyInstance {
  const answerWith = (error: unknown, reply: FastifyReply) => {
    const { status, body } = restError(error);
    if (status >= 500)
      context.logger.error("request failed", {
        code: body.error.code,
        error: errorInfo(error).cause?.message ?? body.error.message,
      });
    return reply.status(status).send(body);
  };
  const app = fastify({
    logger: false,
    bodyLimit: maxBundleBytes,
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    // What is refused before there is a route: a path that can't be decoded.
    frameworkErrors: (error, _request, reply) => void answerWith(error, reply as FastifyReply),
  });
  app.addContentTypeParser(
    ["application/javascript", "text/javascript", "application/octet-stream"],
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(body as string));
    } catch (error) {
      done(fail("REST_BAD_REQUEST", { fields: { reason: (error as Error).message } }));
    }
  });
  app.setErrorHandler((error, _request, reply) => answerWith(error, reply));
  app.setNotFoundHandler((request, reply) =>
    answerWith(fail("REST_NOT_FOUND", { fields: { path: request.url } }), reply),
  );
  const handlers = createHandlers(context);
  const description = openApi(version);
  for (const prefix of ["/v1", ""]) {
    for (const [name, route] of Object.entries(routes) as [RouteName, Route][])
      mount(app, prefix, route, handlers[name]);
    app.get(`${prefix}/openapi.json`, () => description);
  }
  app.get("/metrics", async (_request, reply) => {
    const { contentType, text } = await context.metricsText();
    return await reply.header("content-type", contentType).send(text);
  });
  return app;
}

function mount(app: FastifyInstance, prefix: string, route: Route, handler: Handler): void {
  app.route({
    method: route.method,
    url: `${prefix}${route.path}`,
    schema: {
      ...(route.body === undefined ? {} : { body: route.body }),
      querystring: {
        type: "object",
        properties: Object.fromEntries(
          (route.query ?? []).map((name) => [name, { type: "string" }]),
        ),
        additionalProperties: false,
      },
      response: { [route.status]: route.answer },
    },
    // An absent body is an empty one: curl -X POST must do.
    preValidation: (request: FastifyRequest, _reply, done) => {
      if (route.body !== undefined) request.body ??= {};
      done();
    },
    handler: async (request, reply) => {
      const answer = await handler({
        params: request.params as Call["params"],
        query: (request.query ?? {}) as Call["query"],
        body: request.body,
      });
      const wrong = answerErrors(route, answer);
      if (wrong.length > 0)
        throw fail("REST_INTERNAL", { fields: { path: route.path, problems: wrong } });
      return await reply.status(route.status).send(answer);
    },
  });
}
