/**
 * What a benchmark of the data path is: a job, and the loops that a person would write by hand for the same work.
 *
 * BEN-1  Job and loops take their records from the same function and fold their results by the same function; count and fold must
 *        agree, whatever the order of the results.
 * BEN-2  A record of the source costs next to nothing: what it is made of was made before.
 */
import type { Env } from "@millrace/api";
import type { Probe } from "./probe.ts";

/** One run of a variant. */
export interface Run {
  /** That the source makes, or each of the sources, the part that warms up included. */
  readonly records: number;
  /** Index of the first record that counts. */
  readonly warm: number;
  /** Of a benchmark that reads or writes files: a folder of its own. */
  readonly folder: string;
  readonly probe: Probe;
}
/** In this process; in one runner with `parallelism` slots; or in runners of one slot, which speak TCP. */
export type Deployment = "in process" | "one runner" | "runners";

export interface Benchmark {
  readonly name: string;
  /** One line: what a record goes through. */
  readonly what: string;
  /** At full size, the part that warms up (a quarter) included. */
  readonly records: number;
  /** Sources of the job that make so many records each. Default 1. */
  readonly sources?: number;
  readonly parallelism: number;
  readonly deployment: Deployment;
  /** Of Flink 2.3 for a job of this shape: ns of CPU a record, TaskManager process alone. */
  readonly flinkNs?: string;
  /** What is aimed at: ns of CPU a record, unless it says otherwise. */
  readonly aim?: string;
  /** Before a run: what it reads. */
  readonly prepare?: (run: Pick<Run, "folder" | "records">) => void;
  /** The engine beside itself: other jobs that are measured in the same run, by name. */
  readonly builds: Readonly<Record<string, (env: Env, run: Run) => void>>;
  /** On a cluster: the module that holds a build's job, where it is not `job.ts`. */
  readonly modules?: Readonly<Record<string, string>>;
  /** By name; each ends with `probe.end`. */
  readonly loops: Readonly<Record<string, (run: Run) => void>>;
}

/** The part of the records that is not measured: everything is compiled then, and every table has its size. */
export const warmShare = 0.25;
export const engine = "engine";
