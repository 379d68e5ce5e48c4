/** From a path to the job it exports, with coded errors for everything that can be wrong with it. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isJob, type Job } from "@millrace/api";
import { isMillraceError, nearest } from "@millrace/base";
import { fail } from "./fail.ts";

/** Loads a module and returns its job: the default export, or the only export that is one. */
export async function loadJob(path: string): Promise<Job> {
  const file = resolveJobFile(path);
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (isMillraceError(error)) throw error;
    throw fail("CLIENT_LOAD_FAILED", { fields: { file: path }, cause: error });
  }
  return jobOf(module, path);
}

/** The job of a loaded module. */
export function jobOf(module: Readonly<Record<string, unknown>>, path: string): Job {
  if (isJob(module["default"])) return module["default"];
  const jobs = Object.values(module).filter(isJob);
  const only = jobs[0];
  if (only !== undefined && jobs.length === 1) return only;
  throw fail("CLIENT_NO_JOB", { fields: { file: path, exports: Object.keys(module) } });
}

/** The absolute path of a job file. Throws `CLIENT_NO_SUCH_FILE` with the nearest name beside it. */
export function resolveJobFile(path: string): string {
  const file = resolve(path);
  if (existsSync(file) && statSync(file).isFile()) return file;
  const folder = dirname(file);
  const siblings = existsSync(folder)
    ? readdirSync(folder).filter((name) => /\.[mc]?[jt]s$/.test(name))
    : [];
  throw fail("CLIENT_NO_SUCH_FILE", {
    fields: { file: path, nearest: nearest(basename(file), siblings) ?? "" },
  });
}
