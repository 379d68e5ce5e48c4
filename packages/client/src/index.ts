export { bundleJob } from "./bundle.ts";
export { resolveJobFile } from "./job-file.ts";
export { loadJob } from "./load-job.ts";

export { readParameters } from "./parameters.ts";
export { type CallOptions, RestClient } from "./rest-client.ts";
export { type SubmitOptions, type Submitted, submitJob } from "./submit.ts";
export { typeCheck } from "./type-check.ts";
