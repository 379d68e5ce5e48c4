/** The S3 store against a small server on loopback that misbehaves: what is repeated, what is not, and what comes of it. */
import type { BlobStore } from "@millrace/spi";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  blobStoreContract,
  createNonce,
  keysOf,
  patterned,
  same,
} from "./blob-store-contract.fixture.ts";
import { probeConditionalCreate } from "./open-store.ts";
import { type Call, type Fault, type S3Http, startS3Http } from "./s3-http.fixture.ts";
import { s3Store } from "./s3-store.ts";

const credentials = { accessKeyId: "AKIDTELLTALE", secretAccessKey: "secret-telltale" };
const mb = 1024 * 1024;
const text = (value: string) => new TextEncoder().encode(value);

let http: S3Http;
let store: BlobStore;
const open = (requestTimeoutMs = 5_000, giveUpAfterMs = 30_000) =>
  s3Store({
    bucket: "bucket",
    prefix: "p",
    endpoint: http.endpoint,
    forcePathStyle: true,
    credentials,
    partSizeBytes: 5 * mb,
    requestTimeoutMs,
    retry: { attempts: 4, firstPauseMs: 1, maxPauseMs: 4, giveUpAfterMs },
  });
beforeAll(async () => {
  http = await startS3Http();
  store = await open();
});
afterEach(() => http.reset());
afterAll(async () => {
  await store.close();
  await http.close();
});
const count = (kind: string) => http.calls.filter((call) => call.kind === kind).length;
/** The first `times` calls of a kind have the fault. */
const first = (kind: string, times: number, fault: Fault) => {
  http.fault = (call: Call) => (call.kind === kind && call.nth < times ? fault : undefined);
};
const unavailable = { code: "STORE_UNAVAILABLE", retry: "backoff" };

const passing: readonly (readonly [string, Fault])[] = [
  ["503 SlowDown", { status: 503, code: "SlowDown" }],
  ["500 InternalError", { status: 500, code: "InternalError" }],
  ["429", { status: 429, code: "TooManyRequests" }],
  ["a clock that was wrong", { status: 403, code: "RequestTimeTooSkewed" }],
  ["a connection that broke before the effect", "reset"],
  ["a connection that broke after the effect", "lost"],
];
for (const [what, fault] of passing)
  test(`RTY-1: after two times ${what}, get, range, list, put and delete have their answer`, async () => {
    http.objects.set("p/k", Buffer.from(patterned(100)));
    first("GET", 2, fault);
    expect(await store.get("k")).toEqual(patterned(100));
    expect(count("GET")).toBe(3);
    http.fault = ({ kind, nth }) => (kind === "GET" && nth < 5 ? fault : undefined);
    expect(await store.getRange("k", 10, 20)).toEqual(patterned(100).slice(10, 20));
    first("LIST", 2, fault);
    expect(await keysOf(store, "")).toEqual(["k"]);
    first("PUT", 2, fault);
    await store.put("k", text("new"));
    expect(http.objects.get("p/k")?.toString()).toBe("new");
    expect(count("PUT")).toBe(3);
    first("DELETE", 2, fault);
    await store.delete(["k"]);
    expect([...http.objects.keys()]).toEqual([]);
    expect([count("LIST"), count("DELETE")]).toEqual([3, 3]);
  });

test("RTY-1: a store that stays away is given up after four calls, as unavailable", async () => {
  for (const fault of [{ status: 503, code: "SlowDown" }, "reset"] as const) {
    http.reset();
    http.fault = () => fault;
    await expect(store.get("k")).rejects.toMatchObject(unavailable);
    await expect(store.put("k", text("x"))).rejects.toMatchObject(unavailable);
    await expect(keysOf(store, "")).rejects.toMatchObject(unavailable);
    await expect(store.delete(["k"])).rejects.toMatchObject(unavailable);
    expect(["GET", "PUT", "LIST", "DELETE"].map(count)).toEqual([4, 4, 4, 4]);
  }
});

test("RTY-2, S3S-2: a create is sent once whatever becomes of it: it could be answered by itself", async () => {
  for (const [, fault] of passing) {
    http.reset();
    http.fault = () => fault;
    await expect(store.create("k", text("x"))).rejects.toMatchObject(unavailable);
    expect(count("PUT")).toBe(1);
  }
});

test("BLB-3: a create whose answer was lost is found to be our own by its content", async () => {
  first("PUT", 1, "lost");
  const { own } = await createNonce(store, "k", text("nonce 1"));
  expect([own, count("PUT")]).toEqual([true, 2]);
  const other = await createNonce(store, "k", text("nonce 2"));
  expect([other.own, new TextDecoder().decode(other.found)]).toEqual([false, "nonce 1"]);
});

test("BLB-3: a large create whose completion was lost is found to be our own by its content", async () => {
  first("COMPLETE", 1, "lost");
  const nonce = patterned(6 * mb);
  expect((await createNonce(store, "k", nonce)).own).toBe(true);
  expect(count("COMPLETE")).toBe(2);
  expect(same(http.objects.get("p/k"), nonce)).toBe(true);
  expect((await createNonce(store, "k", patterned(6 * mb, 2))).own).toBe(false);
  // No parts are left to pay for.
  expect(http.uploads.size).toBe(0);
});

test("S3S-1: 409, of a conflict that is no object, isn't `exists`", async () => {
  first("PUT", 1, { status: 409, code: "ConditionalRequestConflict" });
  await expect(store.create("k", text("x"))).rejects.toMatchObject(unavailable);
  expect(await store.create("k", text("x"))).toBe("created");
});

test("S3S-1: an error within a 200, as completions have it, is an error", async () => {
  first("COMPLETE", 1, { hidden: "InternalError" });
  await expect(store.create("k", patterned(6 * mb))).rejects.toMatchObject(unavailable);
  first("COMPLETE", 2, { hidden: "PreconditionFailed" });
  expect(await store.create("k", patterned(6 * mb))).toBe("exists");
});

test("a large put survives lost parts and a lost completion, and leaves no upload", async () => {
  const bytes = patterned(11 * mb);
  http.fault = ({ kind, nth }) =>
    (kind === "PART" && nth < 3) || (kind === "UPLOAD" && nth === 0)
      ? { status: 503, code: "SlowDown" }
      : undefined;
  await store.put("k", bytes);
  expect(same(http.objects.get("p/k"), bytes)).toBe(true);
  expect([count("UPLOAD"), count("PART"), count("COMPLETE")]).toEqual([2, 6, 1]);
  http.reset();
  // The completion took effect, so the upload is gone when it is asked for again.
  first("COMPLETE", 1, "lost");
  await store.put("k", bytes);
  expect(same(http.objects.get("p/k"), bytes)).toBe(true);
  expect(http.uploads.size).toBe(0);
});

test("S3S-3: a large write that fails aborts its upload when no part is under way any more", async () => {
  http.fault = ({ kind, nth }) =>
    kind !== "PART" ? undefined : nth === 1 ? { status: 400, code: "InvalidRequest" } : "slow";
  await expect(store.put("k", patterned(16 * mb))).rejects.toMatchObject({ code: "STORE_REFUSED" });
  expect(http.uploads.size).toBe(0);
  expect(http.answered).toEqual(["UPLOAD", "PART", "PART", "PART", "ABORT"]);
  expect(http.objects.size).toBe(0);
});

test("BLB-2: an answer that breaks off in the middle is never taken for an object", async () => {
  http.objects.set("p/k", Buffer.from(patterned(100_000)));
  first("GET", 2, "half");
  expect(same(await store.get("k"), patterned(100_000))).toBe(true);
  expect(count("GET")).toBe(3);
  http.fault = () => "half";
  await expect(store.get("k")).rejects.toMatchObject(unavailable);
  await expect(store.getRange("k", 10, 5_000)).rejects.toMatchObject(unavailable);
});

test("a server that doesn't answer, or not to the end, is given up at the deadline", async () => {
  const impatient = await open(60);
  for (const fault of ["hang", "half-hang"] as const) {
    http.objects.set("p/k", Buffer.from(patterned(100_000)));
    http.fault = () => fault;
    const begun = performance.now();
    await expect(impatient.get("k")).rejects.toMatchObject(unavailable);
    expect(count("GET")).toBe(4);
    if (fault === "hang")
      await expect(impatient.create("n", text("x"))).rejects.toMatchObject(unavailable);
    expect(performance.now() - begun).toBeLessThan(3_000);
    first("GET", 6, fault);
    expect(same(await impatient.get("k"), patterned(100_000))).toBe(true);
    expect(count("GET")).toBe(7);
    http.reset();
  }
  await impatient.close();
});

test("RTY-1: a server that hangs is not waited for once per call", async () => {
  const impatient = await open(60, 100);
  http.fault = () => "hang";
  await expect(impatient.get("k")).rejects.toMatchObject(unavailable);
  expect(count("GET")).toBe(2);
  await impatient.close();
});

test("a server that ignores ranges gives the range all the same", async () => {
  http.ignoreRanges = true;
  http.objects.set("p/k", Buffer.from(patterned(100)));
  expect(await store.getRange("k", 10, 20)).toEqual(patterned(100).slice(10, 20));
  expect(await store.getRange("k", 90, 200)).toEqual(patterned(100).slice(90));
  expect(await store.getRange("k", 100, 200)).toEqual(new Uint8Array(0));
  expect(await store.getRange("k", 5, 5)).toEqual(new Uint8Array(0));
});

const final: readonly (readonly [number, string, string])[] = [
  [403, "AccessDenied", "STORE_DENIED"],
  [403, "InvalidAccessKeyId", "STORE_DENIED"],
  [403, "SignatureDoesNotMatch", "STORE_DENIED"],
  [401, "Unauthorized", "STORE_DENIED"],
  [400, "ExpiredToken", "STORE_DENIED"],
  [404, "NoSuchBucket", "STORE_NO_BUCKET"],
  [400, "AuthorizationHeaderMalformed", "STORE_REFUSED"],
  [301, "PermanentRedirect", "STORE_REFUSED"],
  [400, "EntityTooLarge", "STORE_REFUSED"],
];
for (const [status, code, expected] of final)
  test(`RTY-1: ${status} ${code} is ${expected}, at once and for good`, async () => {
    http.fault = () => ({ status, code });
    const refused = { code: expected, retry: "never", fields: { status, reason: code } };
    await expect(store.get("k")).rejects.toMatchObject(refused);
    await expect(store.getRange("k", 0, 5)).rejects.toMatchObject(refused);
    await expect(store.put("k", text("x"))).rejects.toMatchObject(refused);
    await expect(store.create("k", text("x"))).rejects.toMatchObject(refused);
    await expect(keysOf(store, "")).rejects.toMatchObject(refused);
    await expect(store.delete(["k"])).rejects.toMatchObject(refused);
    expect(http.calls).toHaveLength(6);
  });

test("S3S-4: a 404 that says something else than no such key isn't absence", async () => {
  for (const code of ["Whatever", "NoSuchVersion", "UserNotFound"]) {
    http.fault = () => ({ status: 404, code });
    const refused = {
      code: "STORE_REFUSED",
      retry: "never",
      fields: { status: 404, reason: code },
    };
    await expect(store.get("k")).rejects.toMatchObject(refused);
    await expect(store.getRange("k", 0, 5)).rejects.toMatchObject(refused);
  }
});

test("keys that a delete was refused are told, by reason", async () => {
  const answer = (code: string) => {
    http.fault = () => ({ hidden: code });
  };
  answer("InternalError");
  await expect(store.delete(["k"])).rejects.toMatchObject(unavailable);
});

test("BLB-1: the probe refuses a server that ignores If-None-Match, and takes the same one when it doesn't", async () => {
  const random = { next: () => 0.5, hex: () => `nonce-${http.calls.length}` };
  await probeConditionalCreate(store, random);
  http.ignoreConditions = true;
  await expect(probeConditionalCreate(store, random)).rejects.toMatchObject({
    code: "STORE_NO_CONDITIONAL_CREATE",
    retry: "never",
    fields: { store: "s3://bucket/p" },
  });
  expect(http.objects.size).toBe(0);
  // A server that is started while it is probed isn't one that lies.
  http.ignoreConditions = false;
  first("PUT", count("PUT") + 2, { status: 503, code: "ServiceUnavailable" });
  await probeConditionalCreate(store, random);
});

test("S3E-1: an error holds neither credentials nor what was signed with them", async () => {
  http.fault = () => ({
    status: 403,
    code: "SignatureDoesNotMatch",
    extra: `<AWSAccessKeyId>${credentials.accessKeyId}</AWSAccessKeyId><StringToSign>telltale</StringToSign>`,
  });
  const error: unknown = await store.get("k").catch((thrown: unknown) => thrown);
  const seen = everythingIn(error);
  expect(seen).toContain("SignatureDoesNotMatch");
  expect(seen).not.toMatch(/telltale/i);
});

/** All that a log could print of a value: own properties, enumerable or not, to any depth. */
function everythingIn(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (seen.has(value)) return "";
  seen.add(value);
  return Reflect.ownKeys(value)
    .map((name) => `${String(name)}: ${everythingIn(Reflect.get(value, name), seen)}`)
    .join("\n");
}

/** The contract holds while every fifth call fails one way or another. */
blobStoreContract({
  name: "s3 that fails now and then",
  faulty: true,
  async makeStore() {
    let calls = 0;
    const faults: readonly Fault[] = [
      { status: 503, code: "SlowDown" },
      "lost",
      "reset",
      { status: 500, code: "InternalError" },
      "lost",
    ];
    const failing = await startS3Http();
    failing.fault = ({ kind }) => {
      calls += 1;
      if (calls % 5 !== 0 || kind === "ABORT") return undefined;
      return faults[(calls / 5) % faults.length];
    };
    const options = {
      bucket: "bucket",
      prefix: "p",
      endpoint: failing.endpoint,
      forcePathStyle: true,
      credentials,
      partSizeBytes: 5 * mb,
      retry: { attempts: 6, firstPauseMs: 1, maxPauseMs: 4 },
    };
    const flaky = await s3Store(options);
    return {
      store: flaky,
      another: () => s3Store(options),
      async close() {
        await flaky.close();
        await failing.close();
      },
    };
  },
});
