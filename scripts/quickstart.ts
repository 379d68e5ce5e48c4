/**
 * `npm run quickstart [-- --keep]`: a local cluster runs a real job, loses a TaskManager on the way, and the output is checked.
 *
 *   up → submit → watch → kill -9 one TaskManager → watch it recover → finished → check → how to go on → down
 *
 * QST-1  Whatever ends this script, Ctrl-C included, ends every process it started; the next run ends what a killed one left.
 * QST-2  The one process that is killed by force is a TaskManager of the cluster that this run started.
 * QST-3  The exit code is 0 exactly when the job finished after a recovery and its committed output is right.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./layers.ts";
import { checkOutput } from "./quickstart/check-output.ts";
import { JobWatch } from "./quickstart/job-watch.ts";
import { LocalCluster, Stopped } from "./quickstart/local-cluster.ts";
import { acquireFolder } from "./quickstart/owned-folder.ts";

const example = join(root, "examples/departure-delays");
const input = join(example, "data/flights-2013-01.csv.gz");
const outOfOrderness = "15h";
const parallelism = 2;
/** 27,004 flights in about 17 s. The rate is shared by the readers, and one of them has the only file. */
const ratePerSec = 1_600 * parallelism;
/** The kill comes in the middle: not before this many flights were read, nor before a checkpoint is behind it. */
const flightsBeforeKill = 10_000;
const checkpointsBeforeKill = 2;

const keep = process.argv.includes("--keep");
const unknown = process.argv.slice(2).filter((argument) => argument !== "--keep");
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;

if (unknown.length > 0) {
  say(
    `unknown argument ${unknown[0] ?? ""}; there is only --keep, which leaves the cluster running`,
  );
  process.exit(2);
}

const folder = join(root, ".millrace/quickstart");
const release = acquireFolder(folder);
if (release === undefined) {
  say(
    `a quickstart is running in this folder already (${relative(root, folder)}); wait for it, or press Ctrl-C there`,
  );
  process.exit(1);
}
const cluster = new LocalCluster(folder);
// A terminal that has gone must not keep the cluster from being stopped.
process.stdout.on("error", () => cluster.interrupt());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!cluster.stopping) say("\nstopping everything that was started …");
    cluster.interrupt();
  });
}

try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof Stopped))
    say(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof Stopped ? 130 : 1;
} finally {
  if (!keep || process.exitCode !== 0) await cluster.down();
  release();
}

async function run(): Promise<number> {
  const began = performance.now();
  await cluster.down();
  for (const part of ["output", "store"])
    rmSync(join(folder, part), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });

  say("1. a cluster on this machine: 1 JobManager, 2 TaskManagers with 2 slots each");
  const { rest, processes } = await cluster.up();
  for (const each of processes) say(`     ${each.name.padEnd(14)} pid ${each.pid}`);
  say(`     REST at ${rest}/v1/overview`);

  const output = join(folder, "output");
  say(
    "2. the job: examples/departure-delays, every flight of January 2013 out of New York, as they left",
  );
  const settings = [
    `output=${output}`,
    `ratePerSec=${ratePerSec}`,
    `outOfOrderness=${outOfOrderness}`,
  ];
  const jobId = await cluster.submit(join(example, "job.ts"), settings, parallelism);
  say(`     job ${jobId}, throttled so that it can be watched`);

  const watch = new JobWatch(cluster, jobId);
  await watch.until(
    (job) => job.flights >= flightsBeforeKill && job.checkpoints >= checkpointsBeforeKill,
  );
  const victim = await watch.busiestTaskManager();
  say(
    `3. kill -9 ${victim.pid}: TaskManager ${victim.id}, which runs ${victim.subtasks} of the job's subtasks`,
  );
  const killedAt = Date.now();
  cluster.kill(victim.pid);
  await watch.until((job) => job.restarts > 0 && job.state === "RUNNING");
  const recovery = await watch.recovery();
  say(`     noticed after  ${seconds(recovery.failedAt - killedAt)}`);
  say(
    `     running again  ${seconds(recovery.runningAt - killedAt)} after the kill, from checkpoint ${recovery.checkpoint}, on ${recovery.taskManagers.join(", ")}`,
  );
  const finished = await watch.until((job) => job.state === "FINISHED");
  say(`     finished: ${finished.checkpoints} checkpoints, ${finished.restarts} restart`);

  say(
    "4. the committed output against a plain computation of the same file (check.mjs, no Millrace in it)",
  );
  const verdict = await checkOutput({
    script: join(example, "check.mjs"),
    input,
    output,
    outOfOrderness,
  });
  for (const line of verdict.lines) say(`     ${line}`);
  say(verdict.right ? "   RIGHT: nothing lost, nothing doubled, nothing altered" : "   WRONG");
  if (verdict.right) goOn(rest, settings);
  say(`\n${seconds(performance.now() - began)} in all`);
  return verdict.right ? 0 : 1;
}

function goOn(rest: string, settings: readonly string[]): void {
  const at = (path: string): string => relative(root, path);
  const set = settings.map((setting) => `--set ${setting.replace(`${root}/`, "")}`).join(" ");
  say(`
the job        examples/departure-delays/job.ts: edit it and run this again
its results    ${at(join(folder, "output"))}/delays and …/late
in one process npm run millrace -- run examples/departure-delays/job.ts --set output=.millrace/out
`);
  if (keep) {
    say(`the cluster    ${rest}/v1/jobs/overview, logs in ${at(join(folder, "logs"))}
once more      npm run millrace -- submit examples/departure-delays/job.ts --wait --jobmanager ${rest} ${set.replace("/output", "/output-2")}
to stop it     npm run millrace -- local down --dir ${at(folder)}`);
  } else {
    say(`the cluster    was at ${rest} and is being stopped; npm run quickstart -- --keep leaves it running
one of your own npm run millrace -- local up      then REST is at http://127.0.0.1:8081/v1/overview
               npm run millrace -- submit examples/departure-delays/job.ts --wait --set output=.millrace/out
               npm run millrace -- local down    stops it`);
  }
  if (!existsSync(folder)) throw new Error(`${folder} is gone`);
}
