export {
  MiniCluster,
  type MiniClusterOptions,
  type RunningJob,
  type RunOptions,
} from "./mini-cluster.ts";
export { type RunJobOptions, runInProcess, runJob } from "./run-in-process.ts";
