export { createRestApp } from "./rest-server.ts";
export { type JobManager, type JobManagerOptions, startJobManager } from "./start.ts";
