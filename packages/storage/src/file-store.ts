/**
 * A store in a directory: each object a file.
 *
 * FIL-1  An object is written to a file of its own under `.tmp/`, synced, and then linked (create) or renamed (put) to its name: a reader
 *        sees all of it or nothing (BLB-2), and `link` refuses an existing name (BLB-1).
 * FIL-2  The directory is synced after the name has appeared, before "created" and before "exists", and so are the directories above a
 *        new one: what was answered survives a power cut.
 * FIL-3  Names beginning with a dot are the store's own and never listed; no key and no prefix leads out of the directory.
 * FIL-4  No key is the folder of another: a directory can't hold both, so the second is refused for good.
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
import { checked, isKey } from "./key.ts";

/** Leftovers of processes that died while writing are swept when the store is opened. */
const staleMs = 3_600_000;
/** Folders known to be there and synced; forgotten when there are more, which costs a few syncs. */
const rememberedFolders = 4_096;

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
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return path;
  };
  const prepare = async (folder: string): Promise<void> => {
    if (made.has(folder)) return;
    await mkdir(folder, { recursive: true });
    for (let above = folder; above !== base; ) {
      above = dirname(above);
      await syncDirectory(above);
    }
    if (made.size >= rememberedFolders) made.clear();
    made.add(folder);
  };
  /** Writes a file of its own and gives it the name of `key` by `appear`; a folder that was removed meanwhile is made again. */
  const named = async (
    key: string,
    bytes: Uint8Array,
    appear: (written: string, path: string) => Promise<void>,
  ): Promise<void> => {
    const path = pathOf(key);
    const folder = dirname(path);
    await refuseNested(key, async () => {
      await prepare(folder);
      const written = await write(bytes);
      try {
        await appear(written, path).catch(async (error: unknown) => {
          if (codeOf(error) !== "ENOENT") throw error;
          made.delete(folder);
          await prepare(folder);
          await appear(written, path);
        });
      } finally {
        await rm(written, { force: true });
      }
    });
    await syncDirectory(folder);
  };
  return {
    location: pathToFileURL(base).href,
    create: (key, bytes) =>
      attempt(async () => {
        let answer: "created" | "exists" = "created";
        await named(key, bytes, async (written, path) => {
          try {
            await link(written, path);
          } catch (error) {
            if (codeOf(error) !== "EEXIST") throw error;
            if ((await stat(path)).isDirectory()) throw error;
            answer = "exists";
          }
        });
        return answer;
      }),
    put: (key, bytes) => attempt(() => named(key, bytes, rename)),
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
        for (const key of keys) await absentIsUndefined(() => unlink(pathOf(key)));
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
  // No object has such a key, and the way to it may lead out of the directory.
  if (folder !== "" && !isKey(folder.slice(0, -1))) return;
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

/** What a folder and an object of one name say, FIL-4. A key that exists says EEXIST too, but `create` has taken that for an answer. */
const nestedCodes = ["EEXIST", "ENOTDIR", "EISDIR", "ENOTEMPTY"];
async function refuseNested(key: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!nestedCodes.includes(codeOf(error) ?? "")) throw error;
    throw fail("STORE_BAD_KEY", {
      fields: { key: key.slice(0, 200), reason: "a key is the folder of another" },
      cause: error,
    });
  }
}

/** Nothing is there, or something that is no object: a folder, or an object where the key needs a folder. */
const absentCodes = ["ENOENT", "ENOTDIR", "EISDIR"];
async function absentIsUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (absentCodes.includes(codeOf(error) ?? "")) return undefined;
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
