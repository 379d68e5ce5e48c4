/**
 * What a file sink asks of a file system; the writer and the committer touch files through nothing else.
 *
 * SFS-1  Errors keep their `code`: "EEXIST" and "ENOENT" decide, all others are failures.
 * SFS-2  A folder that was made is durable when `makeFolder` resolves; a name in it is when `syncFolder` has.
 */
import { link, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

export interface SinkFiles {
  /** With all folders above it; nothing when it is there. */
  makeFolder(path: string): Promise<void>;
  /** A new, empty file. EEXIST when the name is taken. */
  create(path: string): Promise<OpenSinkFile>;
  /** A second name for a file. EEXIST when it is taken, ENOENT when there is no such file. */
  link(from: string, to: string): Promise<void>;
  /** Nothing when there is no such file. */
  remove(path: string): Promise<void>;
  /** Names in a folder; none when there is no such folder. */
  names(folder: string): Promise<readonly string[]>;
  /** Undefined when there is no such file. */
  sizeOf(path: string): Promise<number | undefined>;
  read(path: string): Promise<Uint8Array>;
  syncFolder(path: string): Promise<void>;
}
export interface OpenSinkFile {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const hasCode = (error: unknown, code: string): boolean =>
  (error as { readonly code?: unknown } | undefined)?.code === code;

export const nodeFiles: SinkFiles = {
  async makeFolder(path) {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made))
      await nodeFiles.syncFolder(dirname(made));
  },
  async create(path) {
    const handle = await open(path, "wx");
    return {
      write: (bytes) => handle.writeFile(bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  link: (from, to) => link(from, to),
  remove: (path) => rm(path, { force: true }),
  names: (folder) =>
    readdir(folder).catch((error: unknown) => {
      if (hasCode(error, "ENOENT")) return [];
      throw error;
    }),
  sizeOf: (path) =>
    stat(path).then(
      (info) => info.size,
      (error: unknown) => {
        if (hasCode(error, "ENOENT")) return undefined;
        throw error;
      },
    ),
  read: (path) => readFile(path),
  async syncFolder(path) {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};
