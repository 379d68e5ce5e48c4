import { errorsOf } from "@millrace/base";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { keysOf } from "./blob-store-contract.fixture.ts";
import { assertLocation, openStore, probeConditionalCreate, s3Options } from "./open-store.ts";

const random = (() => {
  let next = 0;
  return { next: () => 0.5, hex: () => `nonce-${next++}` };
})();
const refused = { code: "STORE_BAD_LOCATION", retry: "never" };

test("a location of S3 says bucket, prefix, endpoint, region and where the bucket stands", () => {
  expect(s3Options("s3://bucket/some/prefix/")).toEqual({
    bucket: "bucket",
    prefix: "some/prefix",
    forcePathStyle: false,
  });
  expect(s3Options("s3://my_bucket")).toEqual({
    bucket: "my_bucket",
    prefix: "",
    forcePathStyle: false,
  });
  const full =
    "s3://b/p%20q?endpoint=http%3A%2F%2F127.0.0.1%3A9000&region=eu-west-1&pathStyle=true";
  expect(s3Options(full)).toEqual({
    bucket: "b",
    prefix: "p q",
    endpoint: "http://127.0.0.1:9000",
    region: "eu-west-1",
    forcePathStyle: true,
  });
});

const bad = [
  "",
  "ftp://host/path",
  "S3://bucket/prefix",
  "file://another-host/path",
  "s3:",
  "s3:bucket/prefix",
  "s3://",
  "s3:///prefix",
  "s3://bucket:9000/prefix",
  "s3://bucket/%",
  "s3://bucket/prefix#fragment",
  "s3://bucket/prefix?pathstyle=true",
  "s3://bucket/prefix?pathStyle=yes",
  "s3://bucket/prefix?endpoint=127.0.0.1:9000",
  "s3://bucket/prefix?endpoint=ftp://host",
];
for (const location of bad)
  test(`"${location}" is refused: a store opened elsewhere is an empty one`, async () => {
    await expect(openStore(location)).rejects.toMatchObject(refused);
    expect(() => assertLocation(location)).toThrow(expect.objectContaining(refused));
  });

test("a location is looked at without opening anything", () => {
  for (const location of ["memory:", "/a/path", "a/path", "file:///a/path", "s3://bucket/prefix"])
    assertLocation(location);
});

test("credentials in a location are refused and not shown", async () => {
  const locations = [
    "s3://telltale:secret@bucket/prefix",
    "s3://telltale@bucket/prefix",
    "s3://telltale:p@telltale@bucket/prefix",
    "s3://bucket/prefix?endpoint=https://telltale:secret@host",
    "s3://bucket/prefix?accessKeyId=telltale&secretAccessKey=telltale",
    "https://telltale:secret@bucket",
  ];
  for (const location of locations) {
    const error: unknown = await openStore(location).catch((thrown: unknown) => thrown);
    expect(error, location).toMatchObject(refused);
    expect(JSON.stringify(error) + String((error as Error).stack), location).not.toMatch(
      /telltale|secret@/,
    );
  }
});

test("BLB-1: the probe takes a store that honours conditional creates, and leaves nothing", async () => {
  const store = memoryBlobStore();
  await probeConditionalCreate(store, random);
  expect(await keysOf(store, "")).toEqual([]);
});

const liars: readonly (readonly [string, (honest: BlobStore) => BlobStore["create"]])[] = [
  [
    "replaces and says created",
    (honest) => async (key, bytes) => {
      await honest.put(key, bytes);
      return "created";
    },
  ],
  [
    "keeps the first and says created",
    (honest) => async (key, bytes) => {
      await honest.create(key, bytes);
      return "created";
    },
  ],
  [
    "replaces and says exists",
    (honest) => async (key, bytes) => {
      const answer = await honest.create(key, bytes);
      await honest.put(key, bytes);
      return answer;
    },
  ],
  ["says exists and writes nothing", () => async () => "exists"],
  ["says created and writes nothing", () => async () => "created"],
  [
    "says exists at once",
    (honest) => async (key, bytes) => {
      await honest.create(key, bytes);
      return "exists";
    },
  ],
];
for (const [what, create] of liars)
  test(`BLB-1: the probe refuses a store that ${what}`, async () => {
    const honest = memoryBlobStore();
    const store = { ...honest, create: create(honest), location: "memory:liar" };
    await expect(probeConditionalCreate(store, random)).rejects.toMatchObject({
      code: "STORE_NO_CONDITIONAL_CREATE",
      retry: "never",
      fields: { store: "memory:liar" },
    });
    expect(await keysOf(honest, "")).toEqual([]);
  });

test("BLB-3: a lost answer isn't taken for a lie: the probe tries again under another key", async () => {
  const fail = errorsOf({
    STORE_UNAVAILABLE: { domain: "external", retry: "backoff", message: "lost", fix: "again" },
  } as const);
  const honest = memoryBlobStore();
  const keys: string[] = [];
  const store: BlobStore = {
    ...honest,
    async create(key, bytes) {
      keys.push(key);
      const answer = await honest.create(key, bytes);
      if (keys.length === 1) throw fail("STORE_UNAVAILABLE");
      return answer;
    },
  };
  await probeConditionalCreate(store, random);
  expect(keys).toHaveLength(3);
  expect(keys[0]).not.toBe(keys[1]);
  expect(keys[1]).toBe(keys[2]);
});
