/** What the file store asks of the file system, in which order, and what it makes of its refusals. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fileStore } from "./file-store.ts";

const observed = vi.hoisted(() => ({
  calls: [] as { readonly call: string; readonly path: string }[],
  /** `call` → the error code that it is refused with. */
  refuse: new Map<string, string>(),
}));
vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  const note = (call: string, path: string) => {
    observed.calls.push({ call, path });
    const code = observed.refuse.get(call);
    if (code !== undefined) throw Object.assign(new Error(`${code}: refused`), { code });
  };
  return {
    ...real,
    async open(path: string, flags: string) {
      const file = await real.open(path, flags);
      const sync = file.sync.bind(file);
      const writeFile = file.writeFile.bind(file);
      file.sync = async () => {
        note("sync", path);
        await sync();
      };
      file.writeFile = async (data) => {
        await writeFile(data);
        note("write", path);
      };
      return file;
    },
    async link(from: string, to: string) {
      note("link", to);
      await real.link(from, to);
    },
    async rename(from: string, to: string) {
      note("rename", to);
      await real.rename(from, to);
    },
  };
});

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-file-store-"));
});
afterEach(async () => {
  observed.refuse.clear();
  await rm(root, { recursive: true, force: true });
});
const text = (value: string) => new TextEncoder().encode(value);
const trace = () =>
  observed.calls.map(({ call, path }) => {
    const name = relative(root, path);
    return `${call} ${name.startsWith(".tmp/") ? "temporary" : name === "" ? "root" : name}`;
  });

test("FIL-2: content is synced before the name appears, the folder after, and new folders up to the root", async () => {
  const store = await fileStore(root);
  observed.calls.length = 0;
  await store.create("a/b/c", text("x"));
  const created = trace();
  expect(created.slice(-4)).toEqual([
    "write temporary",
    "sync temporary",
    "link a/b/c",
    "sync a/b",
  ]);
  // The names of new folders survive a power cut too.
  expect(created).toContain("sync a");
  expect(created).toContain("sync root");
  observed.calls.length = 0;
  await store.put("a/b/d", text("y"));
  expect(trace()).toEqual(["write temporary", "sync temporary", "rename a/b/d", "sync a/b"]);
});

test("FIL-2: `exists` is answered when the winner's name is durable: the loser will rely on it", async () => {
  const store = await fileStore(root);
  await store.create("a/b", text("x"));
  const other = await fileStore(root);
  await other.put("a/other", text("x"));
  observed.calls.length = 0;
  expect(await other.create("a/b", text("y"))).toBe("exists");
  expect(trace().slice(-2)).toEqual(["link a/b", "sync a"]);
});

test("BLB-3: a full disk is an unknown outcome that leaves nothing behind", async () => {
  const store = await fileStore(root);
  for (const at of ["write", "sync", "rename", "link"]) {
    observed.refuse.set(at, "ENOSPC");
    const unavailable = {
      code: "STORE_UNAVAILABLE",
      retry: "backoff",
      fields: { reason: "ENOSPC" },
    };
    const failing = at === "link" ? store.create("k", text("x")) : store.put("k", text("x"));
    await expect(failing, at).rejects.toMatchObject(unavailable);
    observed.refuse.clear();
    expect(await readdir(join(root, ".tmp")), at).toEqual([]);
    expect(await store.get("k"), at).toBeUndefined();
  }
});

test("what the file system denies is not tried again", async () => {
  const store = await fileStore(root);
  for (const code of ["EACCES", "EPERM", "EROFS"]) {
    observed.refuse.set("link", code);
    await expect(store.create("k", text("x"))).rejects.toMatchObject({
      code: "STORE_DENIED",
      retry: "never",
    });
  }
});
