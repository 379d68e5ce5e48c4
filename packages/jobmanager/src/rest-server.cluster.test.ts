import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { silentLogger } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import { Coordinator, coordinatorOptions } from "@millrace/coordinator";
import { memoryBlobStore } from "@millrace/spi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bundles, maxBundleBytes } from "./bundles.ts";
import { type RestServer, startRestServer } from "./rest-server.ts";

const store = memoryBlobStore();
const coordinator = new Coordinator({
  platform: nodePlatform,
  logger: silentLogger,
  store,
  options: coordinatorOptions.defaults,
  onEnd() {},
});
const start = () =>
  startRestServer(
    {
      coordinator,
      bundles: new Bundles(store, nodePlatform.clock),
      platform: nodePlatform,
      logger: silentLogger,
      config: {},
      environment: { version: "", arch: "", options: [] },
      metricsText: () => ({ contentType: "text/plain; version=0.0.4", text: "up 1\n" }),
    },
    { host: "127.0.0.1", port: 0 },
  );
let server: RestServer;
beforeAll(async () => {
  await coordinator.start();
  server = await start();
});
afterAll(async () => {
  coordinator.close();
  await server.close();
});

test("an upload, a HEAD, metrics and a path that is not there", async () => {
  const at = (path: string) => `${server.address}${path}`;
  const uploaded = await fetch(at("/v1/bundles/upload?name=a.ts"), {
    method: "POST",
    body: "export {}",
    headers: { "content-type": "application/javascript" },
  });
  expect([uploaded.status, await uploaded.json()]).toEqual([
    200,
    { status: "success", filename: expect.any(String), id: expect.any(String) },
  ]);
  const head = await fetch(at("/overview"), { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect(Number(head.headers.get("content-length"))).toBeGreaterThan(2);
  const metrics = await fetch(at("/metrics"));
  expect(metrics.headers.get("content-type")).toContain("text/plain");
  expect(await metrics.text()).toBe("up 1\n");
  const nothing = await fetch(at("/nothing"), { method: "POST", body: "x".repeat(100_000) });
  expect(nothing.status).toBe(404);
});

test.each<[string, Readonly<Record<string, string>>]>([
  ["said", { "content-length": String(maxBundleBytes + 1) }],
  ["found out", { "transfer-encoding": "chunked" }],
])("RSV-1: a body that is too large is refused, when its size is %s", async (_how, headers) => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = httpRequest(`${server.address}/v1/bundles/upload`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream", ...headers },
    });
    request.on("response", (response) => resolve(response.resume().statusCode));
    request.on("error", reject);
    if (headers["content-length"] === undefined)
      for (let sent = 0; sent <= maxBundleBytes; sent += 1 << 20)
        request.write(Buffer.alloc(1 << 20));
    else request.flushHeaders();
  });
  expect(status).toBe(413);
});

test("RSV-2: closing ends a connection that is in the middle of a request", async () => {
  const other = await start();
  const socket = connect(other.port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write("POST /v1/bundles/upload HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc");
  const ended = new Promise((resolve) => socket.once("close", resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await other.close();
  await ended;
});
