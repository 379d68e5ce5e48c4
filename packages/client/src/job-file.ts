/** From a path as people write it to the file of a job. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { nearest } from "@millrace/base";
import { fail } from "./fail.ts";

/** The absolute path of a job file. Throws `CLIENT_NO_SUCH_FILE` with the nearest name beside it. */
export function resolveJobFile(path: string): string {
  const file = resolve(path);
  const info = statSync(file, { throwIfNoEntry: false });
  const isModule = (name: string) => /\.[mc]?[jt]s$/.test(name);
  if (info?.isFile() === true && isModule(file)) return file;
  if (info?.isDirectory() === true)
    throw fail("CLIENT_NO_SUCH_FILE", {
      fields: {
        file: path,
        found: "a folder",
        holds: readdirSync(file)
          .filter(isModule)
          .slice(0, 5)
          .map((name) => join(path, name)),
      },
    });
  const folder = dirname(file);
  const siblings = existsSync(folder) ? readdirSync(folder).filter(isModule) : [];
  const near = nearest(basename(file), siblings);
  throw fail("CLIENT_NO_SUCH_FILE", {
    fields: {
      file: path,
      ...(info === undefined ? {} : { found: "a file that is no module" }),
      ...(near === undefined
        ? { modules: siblings.slice(0, 5).map((name) => join(dirname(path), name)) }
        : { nearest: join(dirname(path), near) }),
    },
  });
}
