/** Runs one variant where it belongs: in a process of its own, or as a job on a cluster, whose runner is a process of its own. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import type { LocalCluster } from "./local-cluster.ts";
import { type Probed, readProbes } from "./probe.ts";
import { measuredRecords, type VariantRun, warmOf } from "./variant.ts";

const main = join(import.meta.dirname, "variant-main.ts");
const limitMs = 300_000;

/** Of one run, a record that was measured. */
export interface Measured {
  readonly cpuNs: number;
  readonly wallNs: number;
  readonly peakRssMb: number;
  readonly gcShare: number;
  /** Count and fold of all results, the part that warms up included. */
  readonly checksum: string;
}
export interface VariantOptions {
  readonly records: number;
  /** Of the benchmark's deployment; undefined for one in this process. */
  readonly cluster: LocalCluster | undefined;
  readonly profile?: string;
  /** Of Node, for a variant that has a process of its own. */
  readonly nodeArgs?: readonly string[];
}

export async function runVariant(
  benchmark: Benchmark,
  variant: string,
  { records, cluster, profile, nodeArgs = [] }: VariantOptions,
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const file = join(folder, "probes");
  const run: VariantRun = {
    ...{ benchmark: benchmark.name, variant, records, warm: warmOf(records), folder, file },
    ...(profile === undefined ? {} : { profile }),
  };
  try {
    benchmark.prepare?.(run);
    if (cluster === undefined || variant in benchmark.loops)
      await promisify(execFile)(process.execPath, [...nodeArgs, main, JSON.stringify(run)], {
        timeout: limitMs,
        maxBuffer: 2 ** 30,
      });
    else await cluster.run(run, benchmark);
    return perRecord(readProbes(file), measuredRecords(benchmark, records));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function perRecord(probed: Probed, records: number): Measured {
  return {
    cpuNs: (probed.cpuUs * 1_000) / records,
    wallNs: (probed.wallUs * 1_000) / records,
    peakRssMb: probed.peakRssBytes / 2 ** 20,
    gcShare: probed.gcShare,
    checksum: `${probed.count}:${(probed.fold >>> 0).toString(16)}`,
  };
}
