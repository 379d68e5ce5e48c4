/** Whole jobs in this process, as `millrace run` runs them. */
import { collectSink, type DataStream, defineJob, type Env, type JobOptions } from "@millrace/api";
import { MiniCluster, runJob } from "@millrace/minicluster";

type Options = Omit<JobOptions<Record<never, never>>, "name">;
type Streams = Readonly<Record<string, DataStream<unknown>>>;

/** What arrives at the end of each stream, once each. A failure is the test's, unless `restart` says otherwise. */
export async function outputsOf<S extends string>(
  build: (env: Env) => Readonly<Partial<Record<S, unknown>>>,
  options: Options = {},
): Promise<Record<S, unknown[]>> {
  const rows = new Map<string, unknown[]>();
  const job = defineJob({ name: "outputs", restart: { strategy: "none" }, ...options }, (env) => {
    for (const [name, stream] of Object.entries(build(env) as unknown as Streams)) {
      const into = rows.get(name) ?? [];
      rows.set(name, into);
      stream.sinkTo(collectSink(into)).uid(`to ${name}`);
    }
  });
  const ended = await runJob(job);
  if (ended !== "FINISHED") throw new Error(ended);
  return Object.fromEntries(rows) as Record<S, unknown[]>;
}

/** The same with a checkpoint on the way: rejects when none completes. */
export async function withCheckpoint<T, S>(
  build: (env: Env) => DataStream<T, S>,
): Promise<readonly T[]> {
  const rows: T[] = [];
  const cluster = await MiniCluster.start({ slotsPerTaskManager: 8 });
  try {
    const running = await cluster.submit(
      defineJob({ name: "checkpointed", restart: { strategy: "none" } }, (env) => {
        build(env).sinkTo(collectSink(rows));
      }),
    );
    while (running.state === "CREATED" || running.state === "INITIALIZING")
      await new Promise((resolve) => setTimeout(resolve, 2));
    await running.requestCheckpoint();
    await running.ended;
    return rows;
  } finally {
    await cluster.close();
  }
}
