/** A benchmark's job with checkpoints as far apart as in Flink's runs. */
import { benchmarkJob } from "./benchmark-job.ts";

export default benchmarkJob("10s");
