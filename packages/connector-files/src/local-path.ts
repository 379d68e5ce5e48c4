/**
 * The `path` option of source and sink, checked while the job is built.
 *
 * LPT-1  A path that names another store (`s3://…`) is refused: taken for a local one it would make a folder called `s3:`.
 */
import { fail } from "./fail.ts";

const allowed = "a local path, or a file: URL";

/** A path of the local file system. Throws `FILES_BAD_OPTION`. */
export function localPath(path: unknown): string {
  if (typeof path !== "string" || path === "")
    throw fail("FILES_BAD_OPTION", {
      fields: { option: "path", allowed: "a path that is not empty" },
    });
  // A drive has one letter; one slash is how an URL looks after a path function has had it.
  const url = /^([a-z][a-z0-9+.-]+):\/+(.*)$/i.exec(path);
  if (url === null) return path;
  const [, scheme = "", rest = ""] = url;
  if (scheme.toLowerCase() !== "file")
    throw fail("FILES_BAD_OPTION", {
      fields: {
        option: "path",
        value: path,
        reason: `files are read and written on local file systems only, not in ${scheme}:`,
        allowed,
        nearest: `./${rest}`,
      },
    });
  const local = /^file:(?:\/\/(?:localhost)?)?(\/(?!\/).*)$/i.exec(path)?.[1];
  const decoded = local === undefined ? undefined : tryDecode(local);
  if (decoded === undefined)
    throw fail("FILES_BAD_OPTION", {
      fields: {
        option: "path",
        value: path,
        reason: "this file: URL names no local path",
        allowed,
        nearest: `file:///${rest}`,
      },
    });
  return decoded;
}

function tryDecode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
