/** The user's code inside a worker: the bundle, built again with the submitted parameters, and checked against the submitted graph. */
import { pathToFileURL } from "node:url";
import { buildJob, isJob } from "@millrace/api";
import { guardModules } from "@millrace/base/node";
import { assertDigest } from "@millrace/graph";
import { fail } from "./fail.ts";

/** What was given at submission besides the code: every later build sees the same. */
export interface BuildArguments {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly parallelism?: number;
}

export interface JobCode {
  functions(uid: string): Readonly<Record<string, unknown>>;
}

/** Loads and builds. Rejects `RUNNER_BUNDLE_BROKEN`, `RUNNER_DIGEST_MISMATCH`. */
export async function loadJobCode(
  bundleFile: string,
  build: BuildArguments,
  digest: string,
): Promise<JobCode> {
  const built = await buildBundle(bundleFile, build);
  assertDigest(built.graph, digest);
  return { functions: (uid) => built.functions.get(uid) ?? {} };
}

/** The logical graph and the closures of a bundle. */
export async function buildBundle(
  bundleFile: string,
  build: BuildArguments,
): Promise<ReturnType<typeof buildJob>> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(bundleFile).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw fail("RUNNER_BUNDLE_BROKEN", { cause: error });
  }
  const job = isJob(module["default"]) ? module["default"] : Object.values(module).find(isJob);
  if (job === undefined)
    throw fail("RUNNER_BUNDLE_BROKEN", { fields: { reason: "no job is exported" } });
  return buildJob(job, { ...build, guard: guardModules });
}
