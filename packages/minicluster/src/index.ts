export { MiniCluster, type MiniClusterOptions, type RunningJob, type RunOptions } from "./mini-cluster.ts";
