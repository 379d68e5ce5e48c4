/** All benchmarks with figures of their own, in the order of the report. */
import { checkpoint } from "./checkpoint.ts";
import type { Experiment } from "./experiment.ts";
import { idle } from "./idle.ts";
import { keyBytes } from "./key-bytes.ts";
import { latency } from "./latency.ts";
import { recovery } from "./recovery.ts";
import { scaling } from "./scaling.ts";
import { start } from "./start.ts";

export const experiments: readonly Experiment[] = [
  keyBytes,
  checkpoint,
  recovery,
  latency,
  scaling,
  idle,
  start,
];
