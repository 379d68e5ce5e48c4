/** Running jobs in this process. A bundle for a cluster replaces this module by nothing. */
import { collectSink, type DataStream, defineJob, type Env, type Job } from "@millrace/api";
import { MiniCluster, runInProcess } from "@millrace/minicluster";

/** Runs the job in this process when the module is the program's entry; else does nothing. `--set name=value` gives parameters. */
export async function runIfMain(meta: ImportMeta, job: Job): Promise<void> {
  if ((meta as { readonly main?: boolean }).main !== true) return;
  await runInProcess(job, process.argv.slice(2));
}

/** Builds, runs to the end of its bounded sources, returns the rows. */
export async function collect<T>(build: (env: Env) => DataStream<T>): Promise<T[]> {
  const rows: T[] = [];
  const cluster = await MiniCluster.start();
  try {
    const running = await cluster.submit(
      defineJob("collect", (env) => {
        build(env).sinkTo(collectSink(rows));
      }),
    );
    await running.ended;
    return rows;
  } finally {
    await cluster.close();
  }
}
