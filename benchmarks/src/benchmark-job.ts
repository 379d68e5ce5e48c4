/** The job of a benchmark, by its name: the modules that are submitted differ in nothing but the checkpoints. */
import { type Duration, defineJob, type Job, param } from "@millrace/api";
import { benchmarkOf } from "./all.ts";
import { Probe } from "./probe.ts";

/** As parameters of the job, so that every runner's build sees them. */
const jobParams = {
  benchmark: param.string(),
  build: param.string(),
  records: param.number(),
  warm: param.number(),
  folder: param.string(),
  file: param.string(),
  profile: param.string({ default: "" }),
} as const;

/** `interval`: between checkpoints. */
export function benchmarkJob(interval: Duration): Job {
  return defineJob(
    { name: "benchmark", params: jobParams, checkpoint: { interval } },
    (env, { benchmark, build, records, warm, folder, file, profile }) => {
      const probe = new Probe({ file, ...(profile === "" ? {} : { profile }) });
      const make = benchmarkOf(benchmark).builds[build];
      if (make === undefined) throw new Error(`${benchmark} has no build ${build}`);
      make(env, { records, warm, folder, probe });
    },
  );
}
