/** Running jobs in this process. A bundle for a cluster replaces this module by nothing. */
import { collectSink, type DataStream, defineJob, type Env, type Job } from "@millrace/api";
import { runInProcess, runJob } from "@millrace/minicluster";

/** Runs the job in this process when the module is the program's entry; else does nothing. `--set name=value` gives parameters. */
export async function runIfMain(meta: ImportMeta, job: Job): Promise<void> {
  if ((meta as { readonly main?: boolean }).main !== true) return;
  await runInProcess(job, process.argv.slice(2));
}

/**
 * Builds, runs to the end of its bounded sources, returns the rows: once each, in the order in which the sink got them. Rejects with
 * the first failure: a job that is collected is not tried again.
 */
export async function collect<T>(build: (env: Env) => DataStream<T>): Promise<T[]> {
  const rows: T[] = [];
  const job = defineJob({ name: "collect", restart: { strategy: "none" } }, (env) => {
    build(env).sinkTo(collectSink(rows));
  });
  if ((await runJob(job)) === "CANCELED") throw new Error("the job was cancelled");
  return rows;
}
