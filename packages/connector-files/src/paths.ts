/**
 * From a path, a directory or a pattern to files, in lexical order. Names beginning with a dot or underscore are never data; links to
 * files are followed, links to directories are not.
 *
 * PTH-1  What is not there is not found; what can't be looked at is `FILES_UNREADABLE`, never taken for absent.
 */
import { constants } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { nearest } from "@millrace/base";
import { fail } from "./fail.ts";
import { hasCode } from "./sink-files.ts";

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
    const info = await look(path, stat(path));
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

/** A folder, or a place where one can be made. Throws `FILES_BAD_OPTION`. Makes nothing. */
export async function assertFolder(path: string): Promise<void> {
  for (let above = resolve(path); ; above = dirname(above)) {
    const info = await look(above, stat(above));
    if (info === undefined && above !== dirname(above)) continue;
    const reason =
      info?.isDirectory() !== true
        ? `${relative("", above)} is not a folder`
        : await access(above, constants.W_OK).then(
            () => undefined,
            () => `${relative("", above) || above} can't be written`,
          );
    if (reason === undefined) return;
    throw fail("FILES_BAD_OPTION", {
      fields: { option: "path", value: path, reason, allowed: "a folder that can be written" },
    });
  }
}

async function walk(
  root: string,
  accept: (relative: string) => boolean,
  found: FoundFile[],
  below = "",
): Promise<void> {
  const folder = join(root, below);
  const entries = await look(folder, readdir(folder, { withFileTypes: true }));
  for (const entry of entries ?? []) {
    if (/^[._]/.test(entry.name)) continue;
    const relative = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) await walk(root, accept, found, relative);
    else if ((entry.isFile() || entry.isSymbolicLink()) && accept(relative)) {
      const path = join(root, relative).split(sep).join("/");
      const info = await look(path, stat(path));
      if (info?.isFile() === true) found.push({ path, sizeBytes: info.size });
    }
  }
}
/** Undefined for what is not there. */
function look<R>(path: string, answer: Promise<R>): Promise<R | undefined> {
  return answer.catch((error: unknown) => {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw fail("FILES_UNREADABLE", { fields: { path }, cause: error });
  });
}

function patternOf(glob: string): RegExp {
  const source = glob
    .split("/")
    .map((part, i, parts) =>
      part === "**"
        ? i === parts.length - 1
          ? ".+"
          : "(?:[^/]+/)*"
        : `${part
            .replace(/[.+^${}()|[\]\\]/g, "\\$&")
            .replaceAll("*", "[^/]*")
            .replaceAll("?", "[^/]")}/`,
    )
    .join("");
  return new RegExp(`^${source.replace(/\/$/, "")}$`);
}
