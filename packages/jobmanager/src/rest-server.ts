/**
 * REST over Node's own HTTP server.
 *
 * RSV-1  A body of more than `maxBundleBytes` is refused before it is in memory.
 * RSV-2  Closing ends every connection, idle or not.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { maxBundleBytes } from "./bundles.ts";
import { fail } from "./fail.ts";
import { Refusal } from "./rest/errors.ts";
import { createRestApp, type RestApp, type RestContext } from "./rest/rest-app.ts";

export interface RestServer {
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

/** Listens on `host`:`port` (0: any free port). Rejects `JOBMANAGER_PORT_TAKEN`. */
export async function startRestServer(
  context: RestContext,
  listen: { readonly host: string; readonly port: number },
): Promise<RestServer> {
  const app = createRestApp(context);
  const server = createServer((request, response) => void serve(app, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(listen.port, listen.host, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw fail("JOBMANAGER_PORT_TAKEN", {
      fields: { host: listen.host, port: listen.port, service: "rest" },
      cause: error,
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: `http://${listen.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  app: RestApp,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await app({
    method: request.method ?? "GET",
    url: request.url ?? "/",
    contentType: request.headers["content-type"],
    body: () => bodyOf(request),
  });
  response.writeHead(answer.status, {
    "content-type": answer.contentType,
    "content-length": Buffer.byteLength(answer.body),
    // What is left of the body is not waited for.
    ...(answer.status === 413 ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const tooLarge = () => reject(new Refusal(413, { reason: "Request body is too large" }));
    if (Number(request.headers["content-length"] ?? 0) > maxBundleBytes) return tooLarge();
    let chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBundleBytes) chunks.push(chunk);
      else {
        chunks = [];
        tooLarge();
      }
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
  });
}
