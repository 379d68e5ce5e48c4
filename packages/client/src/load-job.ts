/** From a path to the job it exports, with coded errors for everything that can be wrong with it. */
import { pathToFileURL } from "node:url";
import { isJob, type Job } from "@millrace/api";
import { isMillraceError } from "@millrace/base";
import { bundleProblems } from "./bundle.ts";
import { fail } from "./fail.ts";
import { resolveJobFile } from "./job-file.ts";

/** Loads a module and returns its job: the default export, or the only export that is one. */
export async function loadJob(path: string): Promise<Job> {
  const file = resolveJobFile(path);
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (isMillraceError(error)) throw error;
    throw fail("CLIENT_LOAD_FAILED", {
      fields: { file: path, errors: await placesOf(error, file) },
      cause: error,
    });
  }
  return jobOf(module, path);
}

/**
 * Node tells of a module that can't be parsed or linked, but not of the line: the bundler knows it. Nothing for an error that the module
 * threw itself.
 */
async function placesOf(error: unknown, file: string): Promise<readonly string[]> {
  const isLinking =
    error instanceof SyntaxError ||
    (error as { readonly code?: unknown } | undefined)?.code === "ERR_MODULE_NOT_FOUND";
  if (!isLinking) return [];
  return await bundleProblems(file);
}

/** The job of a loaded module. */
export function jobOf(module: Readonly<Record<string, unknown>>, path: string): Job {
  if (isJob(module["default"])) return module["default"];
  const jobs = Object.values(module).filter(isJob);
  const only = jobs[0];
  if (only !== undefined && jobs.length === 1) return only;
  throw fail("CLIENT_NO_JOB", { fields: { file: path, exports: Object.keys(module) } });
}
