export { type JobManager, type JobManagerOptions, startJobManager } from "./start.ts";
