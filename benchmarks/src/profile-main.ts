/**
 * `pnpm bench:profile <name> [--variant v] [--quick]`: runs a variant, the engine by default, twice: once under the CPU profiler, once with
 * V8's log of deoptimizations. Writes `profiles/<name>/*.cpuprofile` (one a thread that has worked) and `profiles/<name>/deopts.txt`, and
 * prints the functions with the most time of their own.
 *
 * The profile is of the measured part alone, in the runners of a cluster where the benchmark has one. The deoptimizations are of the
 * whole run, start included, always in one process: Node gives V8's log to no worker.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Benchmark, engine } from "./benchmark.ts";
import { type CpuProfile, hotFunctions, hotText } from "./cpu-profile.ts";
import { deoptsOf, deoptText } from "./deopts.ts";
import { endOnSignals, LocalCluster, layoutOf } from "./local-cluster.ts";
import { type Measured, runVariant } from "./run-variant.ts";
import { selected, UnknownName } from "./selected.ts";
import { variantsOf } from "./variant.ts";

const folder = join(import.meta.dirname, "../profiles");
const shown = 25;

async function profile(
  benchmark: Benchmark,
  { variant, quick }: { readonly variant: string; readonly quick: boolean },
): Promise<void> {
  const { name } = benchmark;
  if (!variantsOf(benchmark).includes(variant))
    throw new TypeError(`${name} has no variant "${variant}": ${variantsOf(benchmark).join(", ")}`);
  const out = join(folder, name);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const records = quick ? Math.ceil(benchmark.records / 10) : benchmark.records;
  const measured = await profiled(benchmark, { variant, records, profile: out });
  await runVariant(benchmark, variant, {
    ...{ records: Math.ceil(records / 2), cluster: undefined },
    nodeArgs: ["--log-deopt", "--log-code", `--logfile=${join(out, "v8.log")}`],
  });
  const profiles = readdirSync(out)
    .filter((file) => file.endsWith(".cpuprofile"))
    .map((file) => JSON.parse(readFileSync(join(out, file), "utf8")) as CpuProfile);
  const logFiles = readdirSync(out).filter((file) => file.endsWith(".log"));
  const deopts = deoptsOf(logFiles.map((file) => readFileSync(join(out, file), "utf8")));
  for (const file of logFiles) rmSync(join(out, file));
  writeFileSync(join(out, "deopts.txt"), deoptText(deopts));
  const hot = hotFunctions(profiles);
  print(`${name}, ${variant}: ${measured.cpuNs.toFixed(1)} ns of CPU a record under the profiler`);
  print(hotText(hot.slice(0, shown), measured.cpuNs));
  const ofUser = deopts.filter((deopt) => deopt.owner === "user").length;
  print(
    `deoptimizations: ${deopts.length - ofUser} of the engine's, ${ofUser} of the job's; in ${join(out, "deopts.txt")}`,
  );
}

async function profiled(
  benchmark: Benchmark,
  options: { readonly variant: string; readonly records: number; readonly profile: string },
): Promise<Measured> {
  const { variant, ...rest } = options;
  const layout = layoutOf(benchmark.deployment, benchmark.parallelism);
  await using cluster = layout === undefined ? undefined : await LocalCluster.start(layout);
  return await runVariant(benchmark, variant, { ...rest, cluster });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

endOnSignals();
try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      variant: { type: "string", default: engine },
      quick: { type: "boolean", default: false },
    },
  });
  if (positionals.length === 0) throw new TypeError("which benchmark? pnpm bench:profile <name>");
  const wanted = selected(positionals);
  if (wanted.experiments.length > 0)
    throw new TypeError(`${wanted.experiments[0]?.name}: only benchmarks of records are profiled`);
  for (const benchmark of wanted.benchmarks) await profile(benchmark, values);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UnknownName || error instanceof TypeError ? 2 : 1;
}
