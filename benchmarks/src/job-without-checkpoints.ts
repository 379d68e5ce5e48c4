/** A benchmark's job that ends before its first checkpoint. */
import { benchmarkJob } from "./benchmark-job.ts";

export default benchmarkJob("1d");
