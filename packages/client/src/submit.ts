/** A job file to a cluster: check, bundle, build, upload, run. Nothing reaches the cluster before the graph has been built. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildJob, type Job } from "@millrace/api";
import { isMillraceError } from "@millrace/base";
import { guardModules } from "@millrace/base/node";
import { chainGraph, type JobGraph } from "@millrace/graph";
import { bundleJob } from "./bundle.ts";
import { fail } from "./fail.ts";
import { jobOf } from "./load-job.ts";
import type { RestClient } from "./rest-client.ts";
import { runJob } from "./run-job.ts";
import { typeCheck } from "./type-check.ts";

export interface SubmitOptions {
  readonly file: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly check: boolean;
  readonly jobName?: string;
  readonly parallelism?: number;
  /** Steps as they begin: "type-check", "bundle", "build", "upload", "run". */
  readonly onStep?: (step: string) => void;
}
export interface Submitted {
  readonly jobId: string;
  readonly jobName: string;
  readonly graph: JobGraph;
  readonly warnings: readonly string[];
}

export async function submitJob(client: RestClient, options: SubmitOptions): Promise<Submitted> {
  if (options.check) {
    options.onStep?.("type-check");
    await typeCheck(options.file);
  }
  options.onStep?.("bundle");
  const bundle = await bundleJob(options.file);
  options.onStep?.("build");
  const { graph, warnings } = await withBundle(bundle, options.file, async (job) => {
    const built = buildJob(job, {
      parameters: options.parameters,
      guard: guardModules,
      ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
    });
    await built.validate();
    return { graph: chainGraph(built.graph), warnings: built.warnings };
  });
  options.onStep?.("upload");
  const id = await client.upload(bundle, basename(options.file));
  options.onStep?.("run");
  const jobName = options.jobName ?? graph.options.name;
  // The id is ours, so that repeating an unanswered request can't run the job twice.
  const jobId = await runJob(client, id, {
    jobId: randomBytes(16).toString("hex"),
    jobName,
    graph,
    parameters: options.parameters,
    ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
  });
  return { jobId, jobName, graph, warnings };
}

/** Builds from the very code that the cluster will run. */
async function withBundle<R>(
  bundle: Uint8Array,
  file: string,
  use: (job: Job) => R | Promise<R>,
): Promise<R> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-submit-"));
  try {
    const path = join(folder, "job.mjs");
    await writeFile(path, bundle);
    let module: Readonly<Record<string, unknown>>;
    try {
      module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
    } catch (error) {
      if (isMillraceError(error)) throw error;
      throw fail("CLIENT_LOAD_FAILED", { fields: { file }, cause: error });
    }
    return await use(jobOf(module, file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
