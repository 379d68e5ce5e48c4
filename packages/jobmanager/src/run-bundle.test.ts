import { silentLogger } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import { Coordinator, coordinatorOptions } from "@millrace/coordinator";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { Bundles } from "./bundles.ts";
import { graph } from "./graph.fixture.ts";
import { createRestApp } from "./rest-server.ts";

async function lead(store: BlobStore) {
  const coordinator = new Coordinator({
    platform: nodePlatform,
    logger: silentLogger,
    store,
    options: coordinatorOptions.defaults,
    onEnd() {},
  });
  await coordinator.start();
  const app = createRestApp({
    coordinator,
    bundles: new Bundles(store, nodePlatform.clock),
    platform: nodePlatform,
    logger: silentLogger,
    config: {},
    environment: { version: "", arch: "", options: [] },
    metricsText: async () => ({ contentType: "text/plain", text: "" }),
  });
  const uploaded = await app.inject({
    method: "POST",
    url: "/v1/bundles/upload?name=job.ts",
    payload: Buffer.from("export {}"),
    headers: { "content-type": "application/javascript" },
  });
  const { id } = uploaded.json() as { id: string };
  return {
    coordinator,
    async run(payload: unknown) {
      const url = `/v1/bundles/${id}/run`;
      const answer = await app.inject({ method: "POST", url, payload: payload as object });
      const body = answer.json() as {
        readonly jobid?: string;
        readonly error?: { readonly code: string; readonly fields: { readonly path?: string } };
      };
      return { status: answer.statusCode, jobId: body.jobid, ...body.error };
    },
    async close() {
      coordinator.close();
      await app.close();
    },
  };
}
const vertex = graph.vertices[0];

test.each<[string, unknown, string]>([
  [
    "nothing but a name",
    { formatVersion: 1, options: { name: "x" }, vertices: [], edges: [] },
    "digest",
  ],
  ["no vertex", { ...graph, vertices: [] }, "vertices"],
  [
    "a billion subtasks",
    { ...graph, vertices: [{ ...vertex, parallelism: 1e9 }] },
    "vertices[0].parallelism",
  ],
  ["an edge to nowhere", { ...graph, edges: [{ id: "e0", from: "v0", to: "v9" }] }, "edges[0].to"],
  ["a number", 7, "graph"],
])(
  "DEC-1: a graph of %s is refused with its path, and the next JobManager starts as if nothing had been",
  async (_what, bad, path) => {
    const store = memoryBlobStore();
    const first = await lead(store);
    const refused = await first.run({ graph: bad });
    expect(refused).toMatchObject({ status: 400, code: "GRAPH_INVALID" });
    if (path !== "digest") expect(refused.fields?.path).toBe(path);
    const good = await first.run({ graph });
    expect(good.status).toBe(200);
    await first.close();
    const second = await lead(store);
    expect(second.coordinator.jobs.map((job) => job.submission.jobId)).toEqual([good.jobId]);
    await second.close();
  },
);

test("SUB-4: the same run with the same id again is the same job; another is a conflict", async () => {
  const jm = await lead(memoryBlobStore());
  const jobId = "b".repeat(32);
  expect(await jm.run({ graph, jobId })).toMatchObject({ status: 200, jobId });
  expect(await jm.run({ graph, jobId })).toMatchObject({ status: 200, jobId });
  expect(await jm.run({ graph, jobId, jobName: "other" })).toMatchObject({
    status: 409,
    code: "JOB_ID_TAKEN",
  });
  expect(jm.coordinator.jobs).toHaveLength(1);
  await jm.close();
});
