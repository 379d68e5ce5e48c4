/** The job of a benchmark as a module of its own: what is submitted to a cluster. */
import { defineJob, type Job, param } from "@millrace/api";
import { benchmarkOf } from "./all.ts";
import { Probe } from "./probe.ts";

/** As parameters of the job, so that every runner's build sees them. */
export const jobParams = {
  benchmark: param.string(),
  build: param.string(),
  records: param.number(),
  warm: param.number(),
  folder: param.string(),
  file: param.string(),
  profile: param.string({ default: "" }),
} as const;

const job: Job = defineJob(
  { name: "benchmark", params: jobParams, checkpoint: { interval: "10s" } },
  (env, { benchmark, build, records, warm, folder, file, profile }) => {
    const probe = new Probe({ file, ...(profile === "" ? {} : { profile }) });
    const make = benchmarkOf(benchmark).builds[build];
    if (make === undefined) throw new Error(`${benchmark} has no build ${build}`);
    make(env, { records, warm, folder, probe });
  },
);
export default job;
