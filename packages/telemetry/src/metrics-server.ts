/** A small HTTP server for `/metrics`, for daemons without a REST server of their own. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface MetricsServer {
  /** "host:port". */
  readonly address: string;
  close(): Promise<void>;
}

export async function startMetricsServer(options: {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly text: () => Promise<{ readonly contentType: string; readonly text: string }>;
}): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url !== "/metrics") {
      response.writeHead(404).end("see /metrics\n");
      return;
    }
    options.text().then(
      ({ contentType, text }) => response.writeHead(200, { "content-type": contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
