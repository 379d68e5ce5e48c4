/**
 * What every store must do (BLB-1..4), run against each of them.
 *
 * It asks for no more than the contract: a write that rejects with `retry: "backoff"` is repeated, as everybody who writes must, and a
 * list is asked again until it has caught up.
 */
import { isMillraceError } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";
import { afterAll, beforeAll, expect, test } from "vitest";

export interface StoreUnderTest {
  /** Empty when it is given. */
  readonly store: BlobStore;
  /** The same objects, as another process would see them. */
  another(): Promise<BlobStore>;
  close(): Promise<void>;
}
export interface ContractOptions {
  readonly name: string;
  makeStore(): Promise<StoreUnderTest>;
  /** Size of the large object; more than one part where the store writes in parts. */
  readonly largeBytes?: number;
  /** How many objects a list shows; more than a page where the store answers in pages. */
  readonly listed?: number;
  /** Its writes fail now and then, and its lists lag: outcomes are checked, answers are not. */
  readonly faulty?: boolean;
  /** The server under it writes keys into XML as they are, so that no key may look like XML. */
  readonly breaksXml?: boolean;
}

const patience = 200;
const text = (value: string) => new TextEncoder().encode(value);
export const patterned = (length: number, seed = 1) => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 17 + seed) & 255;
  return bytes;
};
/** Comparing by `toEqual` takes seconds for megabytes. */
export const same = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;

/** Repeats a call while its outcome is unknown. */
export async function certain<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isMillraceError(error) || error.retry !== "backoff" || attempt === patience) throw error;
    }
  }
}
/** A create whose answers may be lost: the content, which no other writer has, tells whose the object is. */
export async function createNonce(
  store: BlobStore,
  key: string,
  nonce: Uint8Array,
): Promise<{ readonly own: boolean; readonly found: Uint8Array }> {
  await certain(() => store.create(key, nonce));
  const found = await certain(() => store.get(key));
  if (found === undefined) throw new Error(`${key} was created and is not there`);
  return { own: same(found, nonce), found };
}
export async function keysOf(store: BlobStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}
/** A list may lag (BLB-4), but it catches up, and what it shows is in order meanwhile. */
async function listed(store: BlobStore, prefix: string, count: number): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    const keys = await certain(() => keysOf(store, prefix));
    expect(keys).toEqual([...keys].sort());
    if (keys.length >= count || attempt === patience) return keys;
  }
}

export function blobStoreContract(options: ContractOptions): void {
  const { name } = options;
  const contracts: readonly Contract[] = [...objects, ...lists, ...races];
  let under: StoreUnderTest;
  beforeAll(async () => {
    under = await options.makeStore();
  });
  afterAll(async () => {
    await under.close();
  });
  for (const { title, check } of contracts)
    test(`${name} ${title}`, async () => {
      await check(under.store, options, () => under.another());
    });
}

interface Contract {
  readonly title: string;
  /** Each keeps to keys of its own, so that one store serves all. */
  check(
    store: BlobStore,
    options: ContractOptions,
    another: () => Promise<BlobStore>,
  ): Promise<void>;
}

const objects: readonly Contract[] = [
  {
    title: "BLB-2: what was written is read back, by others too",
    async check(store, _, another) {
      const bytes = patterned(10_000);
      await certain(() => store.put("rw/put", bytes));
      await createNonce(store, "rw/created", bytes);
      const other = await another();
      for (const reader of [store, other])
        for (const key of ["rw/put", "rw/created"])
          expect(same(await reader.get(key), bytes)).toBe(true);
      await other.close();
    },
  },
  {
    title: "what isn't there is undefined, whole or in part",
    async check(store) {
      expect(await store.get("absent/one")).toBeUndefined();
      expect(await store.getRange("absent/one", 0, 10)).toBeUndefined();
      expect(await store.getRange("absent/one", 3, 3)).toBeUndefined();
      await certain(() => store.put("absent/file", text("x")));
      expect(await store.get("absent/fil")).toBeUndefined();
      expect(await store.get("absent/file/below")).toBeUndefined();
      expect(await store.get("absent")).toBeUndefined();
      expect(await keysOf(store, "absent/two")).toEqual([]);
    },
  },
  {
    title: "an empty object is an object",
    async check(store) {
      await certain(() => store.put("empty/put", new Uint8Array(0)));
      await certain(() => store.create("empty/created", new Uint8Array(0)));
      for (const key of ["empty/put", "empty/created"]) {
        expect(await store.get(key)).toEqual(new Uint8Array(0));
        expect(await store.getRange(key, 0, 5)).toEqual(new Uint8Array(0));
      }
      expect(await listed(store, "empty/", 2)).toEqual(["empty/created", "empty/put"]);
      for await (const info of store.list("empty/")) expect(info.sizeBytes).toBe(0);
      expect(await certain(() => store.create("empty/created", text("x")))).toBe("exists");
    },
  },
  {
    title: "a range is cut at the object's end and may be empty",
    async check(store) {
      const bytes = patterned(1_000);
      await certain(() => store.put("range/one", bytes));
      const cases: readonly (readonly [number, number])[] = [
        [0, 1],
        [0, 1_000],
        [17, 18],
        [990, 1_000],
        [990, 2_000],
        [0, Number.MAX_SAFE_INTEGER],
        [999, 1_000],
        [1_000, 1_001],
        [5_000, 6_000],
        [3, 3],
        [0, 0],
        [9, 4],
      ];
      for (const [from, to] of cases) {
        const wanted = from < to ? bytes.slice(from, to) : new Uint8Array(0);
        const got = await store.getRange("range/one", from, to);
        expect(same(got, wanted), `${from}..${to}: ${got?.length}`).toBe(true);
      }
    },
  },
  {
    title: "put replaces all of it, also by less",
    async check(store) {
      await certain(() => store.put("replace/one", patterned(5_000)));
      await certain(() => store.put("replace/one", patterned(100, 2)));
      expect(same(await store.get("replace/one"), patterned(100, 2))).toBe(true);
      expect(await store.getRange("replace/one", 90, 4_000)).toHaveLength(10);
    },
  },
  {
    title: "the bytes are the store's own: neither writer nor reader changes them afterwards",
    async check(store) {
      const bytes = patterned(100);
      await certain(() => store.put("own/one", bytes));
      bytes.fill(0);
      (await store.get("own/one"))?.fill(1);
      (await store.getRange("own/one", 0, 50))?.fill(2);
      expect(same(await store.get("own/one"), patterned(100))).toBe(true);
    },
  },
  {
    title: "a view into a larger buffer is written as the view",
    async check(store) {
      const whole = patterned(1_000);
      await certain(() => store.put("view/one", whole.subarray(100, 200)));
      await createNonce(store, "view/two", whole.subarray(300, 301));
      expect(same(await store.get("view/one"), whole.slice(100, 200))).toBe(true);
      expect(same(await store.get("view/two"), whole.slice(300, 301))).toBe(true);
    },
  },
  {
    title: "delete takes many keys, absent ones too, and only these",
    async check(store, { listed: count = 30 }) {
      const keys = Array.from({ length: count }, (_, i) => `delete/${String(i).padStart(5, "0")}`);
      await inParallel(keys, (key) => certain(() => store.put(key, text(key))));
      await certain(() => store.put("delete-not/me", text("x")));
      const kept = keys[7] ?? "";
      const doomed = keys.filter((key) => key !== kept);
      await certain(() => store.delete([...doomed, "delete/never-was", "nowhere/at/all"]));
      expect(await store.get(doomed[0] ?? "")).toBeUndefined();
      expect(await store.get(doomed.at(-1) ?? "")).toBeUndefined();
      expect(await listed(store, "delete/", 1)).toEqual([kept]);
      expect(same(await store.get("delete-not/me"), text("x"))).toBe(true);
      await certain(() => store.delete([]));
      await certain(() => store.delete([kept]));
      await certain(() => store.delete([kept]));
      expect(await store.get(kept)).toBeUndefined();
    },
  },
  {
    title: "a deleted key can be created again",
    async check(store) {
      await createNonce(store, "again/one", text("first"));
      await certain(() => store.delete(["again/one"]));
      expect((await createNonce(store, "again/one", text("second"))).own).toBe(true);
    },
  },
  {
    title: "a large object comes back whole and in ranges across its parts",
    async check(store, { largeBytes = 300_000 }) {
      const bytes = patterned(largeBytes);
      await certain(() => store.put("large/put", bytes));
      expect(same(await store.get("large/put"), bytes)).toBe(true);
      expect((await createNonce(store, "large/created", bytes)).own).toBe(true);
      const other = patterned(largeBytes, 2);
      const { own, found } = await createNonce(store, "large/created", other);
      expect([own, same(found, bytes)]).toEqual([false, true]);
      const middle = Math.floor(largeBytes / 2);
      const range = await store.getRange("large/created", middle - 5_000, middle + 5_000);
      expect(same(range, bytes.slice(middle - 5_000, middle + 5_000))).toBe(true);
      for await (const { sizeBytes } of store.list("large/")) expect(sizeBytes).toBe(largeBytes);
    },
  },
];

/** What a key may hold besides letters; Millrace's own keys need less. */
const oddNames = [
  "odd/with space",
  "odd/plus+plus",
  "odd/percent%20%2F%",
  "odd/am&per=sand;semi:colon,comma",
  "odd/quote'double\"back`tick",
  "odd/<xml>&amp;",
  "odd/question?mark#hash",
  "odd/tilde~star*(paren)[bracket]{brace}!",
  "odd/ünï-日本語",
  "odd/emoji-🚀",
  "odd/trailing.",
  "odd/mid..dots",
  `odd/${"long".repeat(50)}`,
  `odd/deep/${"d/".repeat(30)}end`,
];

const lists: readonly Contract[] = [
  {
    title: "a list is in lexical order of whole keys, within its prefix, with sizes",
    async check(store) {
      const keys = ["b", "a/z", "a", "a0", "a-b", "a/b/c", "a/b-c", "a.b", "B", "a/b0", "ab/c"];
      // No key may be another's folder: in a directory it can't be.
      const written = keys
        .filter((key) => !["a", "a/b"].includes(key))
        .map((key) => `order/${key}`);
      for (const [i, key] of written.entries()) await certain(() => store.put(key, patterned(i)));
      const all = [...written].sort();
      expect(await listed(store, "order/", all.length)).toEqual(all);
      for (const prefix of [
        "order/a",
        "order/a/",
        "order/a/b",
        "order/a/b/",
        "order/B",
        "order/c",
      ]) {
        const wanted = all.filter((key) => key.startsWith(prefix));
        expect(await listed(store, prefix, wanted.length), prefix).toEqual(wanted);
      }
      for await (const { key, sizeBytes } of store.list("order/"))
        expect(sizeBytes, key).toBe(written.indexOf(key));
    },
  },
  {
    title: "a list of more than a page shows each object once",
    async check(store, { listed: count = 30 }) {
      const keys = Array.from({ length: count }, (_, i) => `page/${String(i).padStart(5, "0")}`);
      await inParallel(keys, (key) => certain(() => store.put(key, text(key))));
      expect(await listed(store, "page/", count)).toEqual(keys);
      expect((await listed(store, "", count)).filter((key) => key.startsWith("page/"))).toEqual(
        keys,
      );
      // Whoever has seen enough goes away.
      for await (const { key } of store.list("page/")) {
        expect(keys).toContain(key);
        break;
      }
    },
  },
  {
    title: "what is deleted while it is listed is no error",
    async check(store) {
      const keys = Array.from({ length: 12 }, (_, i) => `vanish/${String(i).padStart(2, "0")}/x`);
      await inParallel(keys, (key) => certain(() => store.put(key, text(key))));
      await listed(store, "vanish/", keys.length);
      for await (const { key } of store.list("vanish/")) {
        expect(keys).toContain(key);
        await certain(() => store.delete(keys));
      }
      expect(await store.get(keys[11] ?? "")).toBeUndefined();
    },
  },
  {
    title: "odd names are names like others",
    async check(store, { breaksXml = false }) {
      const names = oddNames.filter((name) => !breaksXml || !/[<&]/.test(name));
      for (const key of names) {
        await certain(() => store.put(key, text(key)));
        expect(await certain(() => store.create(key, text("other"))), key).toBe("exists");
      }
      for (const key of names) expect(same(await store.get(key), text(key)), key).toBe(true);
      const seen = await certain(() => keysOf(store, "odd/"));
      for (let attempt = 0; seen.length < names.length && attempt < patience; attempt++)
        seen.splice(0, seen.length, ...(await keysOf(store, "odd/")));
      // Order beyond ASCII is by code units here and by bytes there; Millrace's own keys are ASCII.
      expect([...seen].sort()).toEqual([...names].sort());
      await certain(() => store.delete(names));
      for (const key of names) expect(await store.get(key), key).toBeUndefined();
    },
  },
];

const races: readonly Contract[] = [
  {
    title: "BLB-1: of 20 racers one creates, and the others read its bytes",
    async check(store, { faulty = false }, another) {
      const other = await another();
      for (let round = 0; round < 5; round++) {
        const key = `race/${round}`;
        const nonces = Array.from({ length: 20 }, (_, i) => text(`racer ${i} of round ${round}`));
        if (!faulty) {
          const answers = await Promise.all(
            nonces.map((nonce, i) => (i % 2 === 0 ? store : other).create(key, nonce)),
          );
          expect(answers.filter((answer) => answer === "created")).toHaveLength(1);
          const winner = nonces[answers.indexOf("created")] ?? text("nobody");
          expect(same(await store.get(key), winner)).toBe(true);
          expect(same(await other.get(key), winner)).toBe(true);
        }
        const outcomes = await Promise.all(
          nonces.map((nonce, i) => createNonce(i % 2 === 0 ? store : other, `${key}-nonce`, nonce)),
        );
        expect(outcomes.filter(({ own }) => own)).toHaveLength(1);
        const winner = nonces[outcomes.findIndex(({ own }) => own)] ?? text("nobody");
        expect(outcomes.every(({ found }) => same(found, winner))).toBe(true);
      }
      await other.close();
    },
  },
  {
    title: "BLB-3: a create repeated after a lost answer finds its own object",
    async check(store) {
      const nonce = text("whose? mine");
      expect((await createNonce(store, "lost/one", nonce)).own).toBe(true);
      // The answer is taken as lost: the identical create says "exists", and the content says whose it is.
      expect(await certain(() => store.create("lost/one", nonce))).toBe("exists");
      expect((await createNonce(store, "lost/one", nonce)).own).toBe(true);
      const { own, found } = await createNonce(store, "lost/one", text("another's"));
      expect([own, same(found, nonce)]).toEqual([false, true]);
    },
  },
  {
    title: "BLB-1: create never replaces what put has written, and put replaces what create has",
    async check(store) {
      await certain(() => store.put("mixed/one", text("put")));
      expect(await certain(() => store.create("mixed/one", text("created")))).toBe("exists");
      expect(same(await store.get("mixed/one"), text("put"))).toBe(true);
      await certain(() => store.put("mixed/one", text("put again")));
      expect(same(await store.get("mixed/one"), text("put again"))).toBe(true);
    },
  },
  {
    title: "BLB-4: create and get agree at once, on another's handle too",
    async check(store, _, another) {
      const other = await another();
      for (let i = 0; i < 20; i++) {
        const nonce = text(`agree ${i}`);
        await createNonce(store, `agree/${i}`, nonce);
        expect(same(await other.get(`agree/${i}`), nonce)).toBe(true);
        expect(await certain(() => other.create(`agree/${i}`, text("late")))).toBe("exists");
      }
      await other.close();
    },
  },
  {
    title: "BLB-2: while an object is replaced, a reader sees the old or the new, never a mixture",
    async check(store, _, another) {
      const other = await another();
      const versions = [patterned(40_000, 3), patterned(90_000, 4)] as const;
      await certain(() => store.put("torn/one", versions[0]));
      let writing = true;
      const writer = (async () => {
        for (let i = 1; i <= 12; i++)
          await certain(() => store.put("torn/one", versions[(i % 2) as 0 | 1]));
        writing = false;
      })();
      do {
        const seen = await other.get("torn/one");
        expect(versions.some((version) => same(seen, version))).toBe(true);
      } while (writing);
      await writer;
      await other.close();
    },
  },
  {
    title: "two hundred calls at once are all answered",
    async check(store) {
      const numbers = Array.from({ length: 200 }, (_, i) => i);
      await Promise.all(
        numbers.map((i) => certain(() => store.put(`many/${i}`, patterned(i * 10, i)))),
      );
      const read = await Promise.all(numbers.map((i) => store.get(`many/${i}`)));
      expect(read.every((bytes, i) => same(bytes, patterned(i * 10, i)))).toBe(true);
    },
  },
];

async function inParallel(
  keys: readonly string[],
  work: (key: string) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < keys.length; i = next++) await work(keys[i] ?? "");
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
