import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { blobStoreContract, keysOf, patterned } from "./blob-store-contract.fixture.ts";
import { openStore, probeConditionalCreate } from "./open-store.ts";
import { type S3Server, startS3Server } from "./s3-server.fixture.ts";
import { s3Store } from "./s3-store.ts";

const server = await startS3Server();
if ("skipped" in server) test.skip(`the S3 store against a server, skipped: ${server.skipped}`);
else describe(`against ${server.kind}`, () => testAgainst(server));

function testAgainst(server: S3Server): void {
  const { endpoint, region, credentials } = server;
  const random = { next: Math.random, hex: (bytes: number) => randomBytes(bytes).toString("hex") };
  const text = (value: string) => new TextEncoder().encode(value);
  const open = (bucket: string, prefix: string, given = credentials) =>
    s3Store({ bucket, prefix, endpoint, region, credentials: given, forcePathStyle: true });
  afterAll(() => server.close());

  blobStoreContract({
    name: "s3",
    largeBytes: 17 * 1024 * 1024 + 3,
    listed: 1_100,
    breaksXml: server.kind === "moto",
    async makeStore() {
      const bucket = await server.createBucket();
      const store = await open(bucket, "a/b");
      return { store, another: () => open(bucket, "a/b"), close: () => store.close() };
    },
  });

  test("BLB-1: the probe takes the server, and leaves nothing", async () => {
    const store = await open(await server.createBucket(), "");
    await probeConditionalCreate(store, random);
    expect(await keysOf(store, "")).toEqual([]);
    await store.close();
  });

  test("stores of one bucket see nothing of each other, also when one prefix begins like the other", async () => {
    const bucket = await server.createBucket();
    const stores = await Promise.all(
      ["job", "job-2", "job/below", ""].map((at) => open(bucket, at)),
    );
    const [job, job2, below, whole] = stores as [
      (typeof stores)[0],
      (typeof stores)[0],
      (typeof stores)[0],
      (typeof stores)[0],
    ];
    for (const [i, store] of stores.entries()) await store.create("x", text(`store ${i}`));
    expect(await keysOf(job, "")).toEqual(["below/x", "x"]);
    expect(await keysOf(job2, "")).toEqual(["x"]);
    expect(await keysOf(below, "")).toEqual(["x"]);
    expect(await keysOf(whole, "")).toEqual(["job-2/x", "job/below/x", "job/x", "x"]);
    expect(await job2.get("x")).toEqual(text("store 1"));
    await job.delete(["x"]);
    expect(await job2.get("x")).toBeDefined();
    for (const store of stores) await store.close();
  });

  test("a bucket that isn't there is said to be, by every call, and not tried again", async () => {
    const store = await open("no-such-bucket-here", "p");
    const refused = { code: "STORE_NO_BUCKET", retry: "never" };
    await expect(store.get("k")).rejects.toMatchObject(refused);
    await expect(store.put("k", text("x"))).rejects.toMatchObject(refused);
    await expect(store.create("k", text("x"))).rejects.toMatchObject(refused);
    await expect(keysOf(store, "")).rejects.toMatchObject(refused);
    await expect(store.delete(["k"])).rejects.toMatchObject(refused);
    await expect(store.put("k", patterned(9 * 1024 * 1024))).rejects.toMatchObject(refused);
    await store.close();
  });

  test("wrong credentials are STORE_DENIED, and no error shows them", async (context) => {
    if (!server.checksCredentials) context.skip(`${server.kind} takes any credentials`);
    const bucket = await server.createBucket();
    const wrong = [
      { accessKeyId: credentials.accessKeyId, secretAccessKey: "telltale-secret" },
      { accessKeyId: "telltale-id", secretAccessKey: "telltale-secret" },
    ];
    for (const given of wrong) {
      const store = await open(bucket, "p", given);
      for (const call of [() => store.get("k"), () => store.create("k", text("x"))]) {
        const error: unknown = await call().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "STORE_DENIED", retry: "never" });
        const { stack, cause } = error as Error;
        const shown = JSON.stringify([error, cause]) + stack + (cause as Error).stack;
        expect(shown).not.toMatch(/telltale/);
        expect(shown).not.toContain(credentials.accessKeyId);
      }
      await store.close();
    }
  });

  test("a location opens the store, with credentials from the environment, and shows none", async () => {
    const bucket = await server.createBucket();
    const before = { ...process.env };
    process.env["AWS_ACCESS_KEY_ID"] = credentials.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = credentials.secretAccessKey;
    try {
      const store = await openStore(server.location(bucket, "from/env"));
      await store.put("k", text("x"));
      expect(store.location).toBe(`s3://${bucket}/from/env`);
      await store.close();
    } finally {
      for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
    }
    const whole = await open(bucket, "");
    expect(await keysOf(whole, "")).toEqual(["from/env/k"]);
    await whole.close();
  });
}
