export { faultPointsStore } from "./fault-points-store.ts";
export { type JobManager, type JobManagerOptions, startJobManager } from "./start.ts";
