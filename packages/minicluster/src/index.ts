export { MiniCluster, type MiniClusterOptions, type RunningJob, type RunOptions } from "./mini-cluster.ts";
export { runInProcess, runJob, type RunJobOptions } from "./run-in-process.ts";
