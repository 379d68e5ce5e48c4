import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { Bundles } from "./bundles.ts";

const keepMs = 1_000;
function world(store: BlobStore = memoryBlobStore()) {
  const time = { now: 10_000 };
  const bundles = new Bundles(store, { now: () => time.now, monotonic: () => time.now });
  const using = new Set<string>();
  const sweep = (over: Partial<Parameters<Bundles["sweep"]>[0]> = {}) =>
    bundles.sweep({ keepMs, inUse: () => using, leads: async () => true, ...over });
  const upload = async (text: string) => (await bundles.add(Buffer.from(text), "job.ts")).id;
  return { store, time, bundles, using, sweep, upload };
}
const keysOf = async (store: BlobStore) =>
  (await Array.fromAsync(store.list("bundles/"))).map(({ key }) => key);

test("BUN-2: a bundle goes when no job needs it and it is old, with all that belongs to it", async () => {
  const { store, time, using, sweep, upload } = world();
  const [used, old] = [await upload("used"), await upload("old")];
  using.add(`bundles/${used}`);
  expect(await sweep()).toEqual([]);
  time.now += keepMs;
  const young = await upload("young");
  expect(await sweep()).toEqual([old]);
  expect((await keysOf(store)).toSorted()).toEqual(
    [used, young].flatMap((id) => [`bundles/${id}`, `bundles/${id}.json`]).toSorted(),
  );
  using.clear();
  expect(await sweep()).toEqual([used]);
});

test.each([
  ["it is not known of every job what it needs", { inUse: () => undefined }],
  ["somebody else leads", { leads: async () => false }],
])("BUN-2: nothing goes while %s", async (_why, over) => {
  const { time, sweep, upload } = world();
  await upload("old");
  time.now += 10 * keepMs;
  expect(await sweep(over)).toEqual([]);
});

test("BUN-2: uploading a bundle again, or asking for it, makes it young; also for a JobManager that did not see it uploaded", async () => {
  const { store, time, bundles, sweep, upload } = world();
  const id = await upload("again");
  time.now += keepMs;
  await bundles.keyOf(id);
  expect(await sweep()).toEqual([]);
  time.now += keepMs - 1;
  expect(await sweep()).toEqual([]);
  await upload("again");
  const other = world(store);
  other.time.now = time.now;
  expect(await other.sweep()).toEqual([]);
  other.time.now += keepMs;
  expect(await other.sweep()).toEqual([id]);
});

test("BUN-2: a bundle that is asked for while it is looked at stays; one that is being deleted is not found, and can be uploaded", async () => {
  const { store, time, bundles, sweep, upload } = world();
  const id = await upload("x");
  time.now += keepMs;
  const leads = async () => {
    await bundles.keyOf(id);
    return true;
  };
  expect(await sweep({ leads })).toEqual([]);
  time.now += keepMs;
  let asked: Promise<unknown> = Promise.resolve();
  let uploaded: Promise<unknown> = Promise.resolve();
  const slow = new Bundles(
    {
      ...store,
      async delete(keys) {
        if (keys[0]?.endsWith(".json")) {
          asked = slow.keyOf(id).catch((error: unknown) => error);
          uploaded = slow.add(Buffer.from("x"), "job.ts");
        }
        await Promise.resolve();
        await store.delete(keys);
      },
    },
    { now: () => time.now, monotonic: () => time.now },
  );
  expect(await slow.sweep({ keepMs, inUse: () => new Set(), leads: async () => true })).toEqual([
    id,
  ]);
  await uploaded;
  expect(await asked).toBeDefined();
  expect(await slow.keyOf(id)).toBe(`bundles/${id}`);
  expect(await keysOf(store)).toEqual([`bundles/${id}`, `bundles/${id}.json`]);
});

test("BUN-1: half an upload is no bundle; what nobody completes goes when it is old", async () => {
  const { store, time, bundles, sweep } = world();
  const id = "a".repeat(64);
  await store.create(`bundles/${id}`, Buffer.from("half"));
  await expect(bundles.keyOf(id)).rejects.toMatchObject({ code: "BUNDLE_NOT_FOUND" });
  time.now += keepMs;
  expect(await sweep()).toEqual([id]);
});
