export { bundleJob } from "./bundle.ts";
export { jobOf, loadJob, resolveJobFile } from "./load-job.ts";
export { readParameters } from "./parameters.ts";
export { type CallOptions, RestClient } from "./rest-client.ts";
export { type Submitted, submitJob, type SubmitOptions } from "./submit.ts";
export { typeCheck } from "./type-check.ts";
