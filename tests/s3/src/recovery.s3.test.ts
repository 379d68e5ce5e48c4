import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RestClient, submitJob } from "@millrace/client";
import { s3Store } from "@millrace/storage";
import { type S3Server, startS3Server } from "@millrace/storage/s3-server.fixture";
import { afterAll, describe, expect, test } from "vitest";
import { checkSums } from "./check-sums.ts";
import { S3Daemons } from "./s3-daemons.ts";

const server = await startS3Server();
if ("skipped" in server) test.skip(`jobs whose state is in S3, skipped: ${server.skipped}`);
else describe(`state in S3 (${server.kind})`, () => testWith(server));

function testWith(server: S3Server): void {
  afterAll(() => server.close());

  test("a job whose TaskManager and then JobManager are killed goes on from the bucket, exactly once, and no credential is shown", async () => {
    const dir = await mkdtemp(join(tmpdir(), "millrace-in-s3-"));
    const bucket = await server.createBucket();
    const store = server.location(bucket, "cluster/a");
    const { credentials } = server;
    const daemons = await S3Daemons.start({ dir, store, credentials, taskManagers: 2 });
    const seen: string[] = [];
    try {
      const client = new RestClient(daemons.rest);
      const size = { count: 9_000, keys: 40 };
      const jobId = await submit(client, join(dir, "out"), size);
      const completed = async () =>
        await client.checkpoints(jobId).then(
          ({ counts }) => counts.completed,
          () => 0,
        );
      const looked = async () => seen.push(...(await everyAnswer(daemons.rest, jobId)));

      await until("three checkpoints", async () => (await completed()) >= 3);
      expect(await kinds(server, bucket, jobId)).toEqual([
        "bundles",
        "checkpoint manifests",
        "epochs",
        "job log",
        "snapshots",
      ]);
      await looked();

      await daemons.kill("tm-0");
      await until("a second attempt", async () => (await client.job(jobId)).attempt >= 2);
      await daemons.start("tm-0");
      await until("it runs again", async () => (await client.job(jobId)).state === "RUNNING");
      const before = await completed();
      await until("a checkpoint of it", async () => (await completed()) > before);
      await looked();

      await daemons.kill("jobmanager");
      await daemons.start("jobmanager");
      await until("it is FINISHED", async () => {
        const state = await client.job(jobId).then(
          (job) => job.state,
          () => "unknown",
        );
        expect(state).not.toMatch(/FAILED|CANCELED/);
        return state === "FINISHED";
      });
      await looked();
      expect(checkSums(join(dir, "out"), size)).toEqual({
        rows: size.count,
        distinct: size.count,
        wrong: 0,
      });
      // What was restored lay in the bucket; the TaskManagers have copies of what they uploaded, by hash, and nothing else of it.
      const local = await readdir(dir, { recursive: true });
      expect(local.some((name) => /copies\/tm-[^/]*\/[0-9a-f]{32}\/[0-9a-f]{40}$/.test(name))).toBe(
        true,
      );
      expect(local.filter((name) => /manifest|epochs|checkpoints/.test(name))).toEqual([]);

      const logs = daemons.logs();
      expect(logs.match(/all tasks running/g)?.length).toBe(3);
      for (const text of [logs, ...seen]) expectNoSecret(text, credentials);
      // Answers that hold nothing would hide nothing.
      expect(seen.join("").length).toBeGreaterThan(2_000);
    } finally {
      await daemons.close();
      await rm(dir, { recursive: true, force: true });
    }
  });

  test("a store that crashes and comes back costs time and no records", async (context) => {
    if (!server.keepsObjects) context.skip(`${server.kind} forgets its objects`);
    const dir = await mkdtemp(join(tmpdir(), "millrace-in-s3-"));
    const bucket = await server.createBucket();
    const store = server.location(bucket, "p");
    const { credentials } = server;
    const daemons = await S3Daemons.start({ dir, store, credentials, taskManagers: 1 });
    try {
      const client = new RestClient(daemons.rest);
      const size = { count: 7_000, keys: 40 };
      const jobId = await submit(client, join(dir, "out"), size);
      await until(
        "two checkpoints",
        async () => (await client.checkpoints(jobId)).counts.completed >= 2,
      );
      await server.crash();
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      await server.restart();
      const { completed } = (await client.checkpoints(jobId)).counts;
      await until(
        "a checkpoint after it",
        async () => (await client.checkpoints(jobId)).counts.completed > completed,
      );
      await until("it is FINISHED", async () => (await client.job(jobId)).state === "FINISHED");
      expect(checkSums(join(dir, "out"), size)).toEqual({
        rows: size.count,
        distinct: size.count,
        wrong: 0,
      });
    } finally {
      await daemons.close();
      await rm(dir, { recursive: true, force: true });
    }
  });

  test("a JobManager with wrong credentials ends at once, says STORE_DENIED, and shows none", async (context) => {
    if (!server.checksCredentials) context.skip(`${server.kind} takes any credentials`);
    const dir = await mkdtemp(join(tmpdir(), "millrace-in-s3-"));
    const bucket = await server.createBucket();
    const credentials = {
      accessKeyId: server.credentials.accessKeyId,
      secretAccessKey: "a-secret-that-is-not-the-right-one",
    };
    const store = server.location(bucket, "p");
    const daemons = await S3Daemons.start({ dir, store, credentials, taskManagers: 0 });
    try {
      const begun = performance.now();
      expect(await daemons.start("jobmanager")).toBeGreaterThan(0);
      expect(performance.now() - begun).toBeLessThan(20_000);
      expect(daemons.logs()).toContain("STORE_DENIED");
      expectNoSecret(daemons.logs(), credentials);
    } finally {
      await daemons.close();
      await rm(dir, { recursive: true, force: true });
    }
  });
}

async function submit(
  client: RestClient,
  output: string,
  size: { readonly count: number; readonly keys: number },
): Promise<string> {
  const { jobId } = await submitJob(client, {
    file: join(import.meta.dirname, "sums-job.ts"),
    check: false,
    parameters: {
      output,
      count: String(size.count),
      ratePerSec: "1000",
      keys: String(size.keys),
    },
  });
  return jobId;
}

/** Kinds of objects of a job; a name that belongs to none is its own kind. */
async function kinds(server: S3Server, bucket: string, jobId: string): Promise<string[]> {
  const { endpoint, region, credentials } = server;
  const options = { endpoint, region, credentials, forcePathStyle: true };
  const store = await s3Store({ bucket, prefix: "", ...options });
  const found = new Set<string>();
  for await (const { key, sizeBytes } of store.list("")) {
    expect(sizeBytes, key).toBeGreaterThan(0);
    const checkpoint = `cluster/a/jobs/${jobId}/checkpoints/`;
    if (key.startsWith(checkpoint))
      found.add(key.endsWith("/manifest") ? "checkpoint manifests" : "snapshots");
    else if (key.startsWith(`cluster/a/jobs/${jobId}/log/`)) found.add("job log");
    else if (/^cluster\/a\/(epochs|bundles)\//.test(key)) found.add(key.split("/")[2] ?? "");
    // Where jobs are registered, and what was submitted, is the coordinator's affair.
    else if (!key.startsWith("cluster/a/")) found.add(key);
  }
  await store.close();
  return [...found].sort();
}

/** What the JobManager tells about a job and itself, in all its answers. */
async function everyAnswer(rest: string, jobId: string): Promise<string[]> {
  const { paths } = (await (await fetch(`${rest}/v1/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const urls = Object.entries(paths)
    .filter(([path, methods]) => "get" in methods && !/\{(?!jobid)/.test(path))
    .map(([path]) => `${rest}${path.startsWith("/v1") ? "" : "/v1"}${path}`);
  expect(urls.length).toBeGreaterThan(8);
  const texts = [...urls, `${rest}/metrics`].map(async (url) =>
    (await fetch(url.replace("{jobid}", jobId))).text(),
  );
  return await Promise.all(texts);
}

function expectNoSecret(
  text: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
): void {
  for (const secret of [credentials.accessKeyId, credentials.secretAccessKey]) {
    const at = text.indexOf(secret);
    expect(at === -1 ? "" : text.slice(Math.max(0, at - 200), at)).toBe("");
  }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; ; ) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
