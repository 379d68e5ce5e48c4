/** A benchmark's job with a checkpoint every second. */
import { benchmarkJob } from "./benchmark-job.ts";

export default benchmarkJob("1s");
