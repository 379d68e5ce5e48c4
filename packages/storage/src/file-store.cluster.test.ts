import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { blobStoreContract, keysOf, patterned } from "./blob-store-contract.fixture.ts";
import { fileStore } from "./file-store.ts";

blobStoreContract({
  name: "file",
  largeBytes: 17 * 1024 * 1024 + 3,
  listed: 1_100,
  async makeStore() {
    const root = await mkdtemp(join(tmpdir(), "millrace-file-store-"));
    return {
      store: await fileStore(root),
      another: () => fileStore(root),
      close: () => rm(root, { recursive: true, force: true }),
    };
  },
});

const withRoot = (run: (root: string) => Promise<void>) => async () => {
  const root = await mkdtemp(join(tmpdir(), "millrace-file-store-"));
  try {
    await run(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};
const text = (value: string) => new TextEncoder().encode(value);
const temporary = (root: string) => readdir(join(root, ".tmp"));

test(
  "FIL-1: of three processes that race for names each name has one winner, whose bytes are there",
  withRoot(async (root) => {
    const names = ["ann", "bob", "cy"];
    const racers = names.map((name) => start("race", root, name));
    const lines = racers.map((racer) =>
      createInterface({ input: racer.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator](),
    );
    for (const line of lines) expect((await line.next()).value).toBe("ready");
    const won = names.map((): number[] => []);
    const winners = () => won.filter((keys) => keys.length > 0).length;
    // At least 300 names, and more until two processes have won some: a race that one runs alone shows nothing.
    let raced = 0;
    for (; raced < 300 || (winners() < 2 && raced < 3_000); raced += 50) {
      for (const racer of racers) racer.stdin?.write(`${raced} 50 ${Date.now() + 50}\n`);
      for (const [i, line] of lines.entries()) {
        const [, keys = ""] = String((await line.next()).value).split(" ");
        if (keys !== "") won[i]?.push(...keys.split(",").map(Number));
      }
    }
    for (const racer of racers) racer.stdin?.end();
    expect(won.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: raced }, (_, i) => i));
    const store = await fileStore(root);
    for (const [i, keys] of won.entries())
      for (const key of keys) {
        const bytes = await store.get(`race/${key}`);
        expect(new TextDecoder().decode(bytes)).toBe(`${names[i]} at ${key}`);
      }
    expect(winners()).toBeGreaterThan(1);
    expect(await temporary(root)).toEqual([]);
  }),
);

test(
  "BLB-2: whatever a killed writer leaves, every object that is seen is whole, and the rest is swept",
  withRoot(async (root) => {
    const leftovers: string[] = [];
    // At least four kills, and more until one has hit a write: the others show nothing.
    for (let round = 0; round < 4 || (leftovers.length === 0 && round < 30); round++) {
      const writer = start("write", root);
      await once(writer.stdout as NodeJS.ReadableStream, "data");
      await new Promise((resolve) => setTimeout(resolve, 20 + round * 13));
      writer.kill("SIGKILL");
      await once(writer, "exit");
      const store = await fileStore(root);
      for await (const { key, sizeBytes } of store.list("")) {
        expect(sizeBytes, key).toBe(4 * 1024 * 1024);
        const bytes = (await store.get(key)) ?? new Uint8Array(0);
        expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
      }
      leftovers.push(...(await temporary(root)));
    }
    for (const name of await temporary(root)) await utimes(join(root, ".tmp", name), 1_000, 1_000);
    await fileStore(root);
    expect(await temporary(root)).toEqual([]);
    expect(leftovers.length).toBeGreaterThan(0);
  }),
);

test(
  "FIL-1: a leftover of a crash is not seen; opening sweeps it when it is old and leaves the young",
  withRoot(async (root) => {
    await mkdir(join(root, ".tmp"));
    await writeFile(join(root, ".tmp/old"), "half an obj");
    await writeFile(join(root, ".tmp/young"), "someone writes it now");
    const twoHoursAgo = Date.now() / 1_000 - 7_200;
    await utimes(join(root, ".tmp/old"), twoHoursAgo, twoHoursAgo);
    const store = await fileStore(root);
    expect(await temporary(root)).toEqual(["young"]);
    expect(await keysOf(store, "")).toEqual([]);
    await expect(store.get(".tmp/young")).rejects.toMatchObject({ code: "STORE_BAD_KEY" });
  }),
);

test(
  "FIL-1: neither a winner nor a loser leaves a temporary file",
  withRoot(async (root) => {
    const store = await fileStore(root);
    await store.create("a/b", text("x"));
    await store.create("a/b", text("y"));
    await store.put("a/b", text("z"));
    expect(await temporary(root)).toEqual([]);
    expect(await readFile(join(root, "a/b"), "utf8")).toBe("z");
  }),
);

test(
  "FIL-3: names that are the store's own, or that would leave its directory, are refused by every call",
  withRoot(async (root) => {
    const store = await fileStore(join(root, "inside"));
    await writeFile(join(root, "secret"), "not an object");
    const bad = [
      "",
      "/absolute",
      "../secret",
      "a/../../secret",
      "a/./b",
      "a//b",
      "a/",
      ".hidden",
      "a/.hidden",
      "nul\0byte",
      "back\\slash",
      "x".repeat(256),
      "d/".repeat(600),
    ];
    for (const key of bad) {
      const refused = { code: "STORE_BAD_KEY", retry: "never" };
      await expect(store.create(key, text("x")), key).rejects.toMatchObject(refused);
      await expect(store.put(key, text("x")), key).rejects.toMatchObject(refused);
      await expect(store.get(key), key).rejects.toMatchObject(refused);
      await expect(store.getRange(key, 0, 1), key).rejects.toMatchObject(refused);
      await expect(store.delete([key]), key).rejects.toMatchObject(refused);
    }
    for (const prefix of ["../", "..", "a/../../", "/", ".tmp/", "./"])
      expect(await keysOf(store, prefix), prefix).toEqual([]);
  }),
);

test(
  "a key below an object, or above one, is refused for good: a directory can't hold both",
  withRoot(async (root) => {
    const store = await fileStore(root);
    await store.put("a/b", text("x"));
    const refused = { code: "STORE_BAD_KEY", retry: "never" };
    for (const write of ["create", "put"] as const) {
      await expect(store[write]("a/b/c", text("y"))).rejects.toMatchObject(refused);
      await expect(store[write]("a/b/c/d", text("y"))).rejects.toMatchObject(refused);
      await expect(store[write]("a", text("y"))).rejects.toMatchObject(refused);
    }
    // To read or to delete them finds nothing.
    await store.delete(["a", "a/b/c"]);
    expect(await store.getRange("a", 0, 1)).toBeUndefined();
    expect(await keysOf(store, "")).toEqual(["a/b"]);
    expect(await temporary(root)).toEqual([]);
  }),
);

test(
  "a folder that somebody has removed is made again",
  withRoot(async (root) => {
    const store = await fileStore(root);
    await store.put("job/one/a", text("x"));
    await rm(join(root, "job"), { recursive: true });
    await store.put("job/one/b", text("y"));
    expect(await store.create("job/one/c", text("z"))).toBe("created");
    expect(await keysOf(store, "")).toEqual(["job/one/b", "job/one/c"]);
  }),
);

test(
  "a directory reached by a symbolic link, and one with odd characters, are directories",
  withRoot(async (root) => {
    await mkdir(join(root, "real dir#1"));
    await symlink(join(root, "real dir#1"), join(root, "link"));
    const store = await fileStore(join(root, "link"));
    await store.put("k", patterned(10));
    const direct: BlobStore = await fileStore(join(root, "real dir#1"));
    expect(await direct.get("k")).toEqual(patterned(10));
    expect(direct.location).toMatch(/^file:\/\/.*real%20dir%231$/);
    expect((await stat(join(root, "real dir#1", "k"))).size).toBe(10);
  }),
);

function start(kind: string, ...args: readonly string[]): ChildProcess {
  return spawn(
    process.execPath,
    [join(import.meta.dirname, "create-racer.fixture.ts"), kind, ...args],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
}
