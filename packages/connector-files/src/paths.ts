/** From a path, a directory or a pattern to files, in lexical order. Names beginning with a dot or underscore are never data. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { nearest } from "@millrace/base";
import { fail } from "./fail.ts";

export interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** A pattern has `*`, `?` or `**` in it; a directory stands for all files below it. */
export async function findFiles(path: string): Promise<readonly FoundFile[]> {
  const parts = path.split("/");
  const wild = parts.findIndex((part) => /[*?]/.test(part));
  const found: FoundFile[] = [];
  if (wild < 0) {
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile() === true) return [{ path, sizeBytes: info.size }];
    if (info?.isDirectory() === true) await walk(path, () => true, found);
  } else {
    const root = parts.slice(0, wild).join("/") || (path.startsWith("/") ? "/" : ".");
    const pattern = patternOf(parts.slice(wild).join("/"));
    await walk(root, (relative) => pattern.test(relative), found);
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Throws `FILES_NOT_FOUND` with the nearest name beside the path. */
export async function assertFound(path: string): Promise<void> {
  if ((await findFiles(path)).length > 0) return;
  const siblings = await readdir(dirname(path)).catch(() => []);
  throw fail("FILES_NOT_FOUND", {
    fields: { path, nearest: nearest(basename(path), siblings) ?? "" },
  });
}

async function walk(
  root: string,
  accept: (relative: string) => boolean,
  found: FoundFile[],
  below = "",
): Promise<void> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (/^[._]/.test(entry.name)) continue;
    const relative = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) await walk(root, accept, found, relative);
    else if (entry.isFile() && accept(relative)) {
      const path = join(root, relative).split(sep).join("/");
      const info = await stat(path).catch(() => undefined);
      if (info !== undefined) found.push({ path, sizeBytes: info.size });
    }
  }
}

function patternOf(glob: string): RegExp {
  const source = glob
    .split("/")
    .map((part) =>
      part === "**"
        ? "(?:[^/]+/)*"
        : `${part
            .replace(/[.+^${}()|[\]\\]/g, "\\$&")
            .replaceAll("*", "[^/]*")
            .replaceAll("?", "[^/]")}/`,
    )
    .join("");
  return new RegExp(`^${source.replace(/\/$/, "")}$`);
}
