/**
 * A store in a directory: each object a file.
 *
 * FIL-1  An object is written to a file of its own under `.tmp/`, synced, and then linked (create) or renamed (put) to its name: a reader
 *        sees all of it or nothing (BLB-2), and `link` refuses an existing name (BLB-1).
 * FIL-2  The directory is synced after the name has appeared: what was answered survives a power cut.
 * FIL-3  Names beginning with a dot are the store's own and never listed.
 */
import { randomBytes } from "node:crypto";
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BlobInfo, BlobStore } from "@millrace/spi";
import { fail } from "./fail.ts";

const maxKeyLength = 1_024;
/** Leftovers of processes that died while writing are swept when the store is opened. */
const staleMs = 3_600_000;

export async function fileStore(root: string): Promise<BlobStore> {
  const base = resolve(root);
  const temporary = join(base, ".tmp");
  await attempt(() => mkdir(temporary, { recursive: true }));
  await sweep(temporary);
  const made = new Set<string>();
  const pathOf = (key: string) => join(base, checked(key));
  const write = async (bytes: Uint8Array): Promise<string> => {
    const path = join(temporary, randomBytes(12).toString("hex"));
    const file = await open(path, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    return path;
  };
  const prepare = async (path: string): Promise<string> => {
    const folder = dirname(path);
    if (!made.has(folder)) {
      await mkdir(folder, { recursive: true });
      made.add(folder);
    }
    return folder;
  };
  return {
    location: pathToFileURL(base).href,
    create: (key, bytes) =>
      attempt(async () => {
        const path = pathOf(key);
        const folder = await prepare(path);
        const written = await write(bytes);
        try {
          await link(written, path);
          await syncDirectory(folder);
          return "created";
        } catch (error) {
          if (codeOf(error) === "EEXIST") return "exists";
          throw error;
        } finally {
          await unlink(written);
        }
      }),
    put: (key, bytes) =>
      attempt(async () => {
        const path = pathOf(key);
        const folder = await prepare(path);
        await rename(await write(bytes), path);
        await syncDirectory(folder);
      }),
    get: (key) =>
      attempt(
        async () =>
          await absentIsUndefined(async () => new Uint8Array(await readFile(pathOf(key)))),
      ),
    getRange: (key, from, to) =>
      attempt(
        async () =>
          await absentIsUndefined(async () => {
            const file = await open(pathOf(key), "r");
            try {
              return await readRange(file, from, to);
            } finally {
              await file.close();
            }
          }),
      ),
    list: (prefix) => listFiles(base, prefix),
    delete: (keys) =>
      attempt(async () => {
        for (const key of keys) await rm(pathOf(key), { force: true });
      }),
    async close() {},
  };
}

async function readRange(file: FileHandle, from: number, to: number): Promise<Uint8Array> {
  const { size } = await file.stat();
  const length = Math.max(0, Math.min(to, size) - from);
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, from + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Depth first, entries of a directory in the lexical order of the keys that they lead to. */
async function* listFiles(base: string, prefix: string): AsyncGenerator<BlobInfo> {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  yield* walk(base, folder, prefix);
}
async function* walk(base: string, folder: string, prefix: string): AsyncGenerator<BlobInfo> {
  const entries =
    (await attempt(
      async () =>
        await absentIsUndefined(() => readdir(join(base, folder), { withFileTypes: true })),
    )) ?? [];
  const named = entries
    .filter((entry) => !entry.name.startsWith("."))
    .map((entry) => ({ entry, key: `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}` }));
  for (const { entry, key } of named.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(base, key, prefix);
    } else if (key.startsWith(prefix)) {
      const info = await attempt(async () => await absentIsUndefined(() => stat(join(base, key))));
      if (info !== undefined) yield { key, sizeBytes: info.size };
    }
  }
}

async function syncDirectory(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function sweep(temporary: string): Promise<void> {
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    const info = await absentIsUndefined(() => stat(path));
    if (info !== undefined && Date.now() - info.mtimeMs > staleMs) await rm(path, { force: true });
  }
}

function checked(key: string): string {
  const parts = key.split("/");
  const bad =
    key.length === 0 ||
    key.length > maxKeyLength ||
    /[\0\\]/.test(key) ||
    parts.some((part) => part === "" || part.startsWith(".") || part.length > 255);
  if (bad) throw fail("STORE_BAD_KEY", { fields: { key: key.slice(0, 200) } });
  return key;
}

async function absentIsUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Converts what the file system says, once. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    if (code === "EACCES" || code === "EPERM" || code === "EROFS")
      throw fail("STORE_DENIED", { fields: { reason: code }, cause: error });
    throw fail("STORE_UNAVAILABLE", { fields: { reason: code }, cause: error });
  }
}
function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === "string" && /^E[A-Z]+$/.test(code) ? code : undefined;
}
