/**
 * A cluster of real processes on loopback: one JobManager, some TaskManagers, everything under one directory.
 *
 * LOC-1  `cluster.json` names the processes (pid and start time), so only processes that `up` started are ever stopped, even when a
 *        pid has been given to another program since. It names each of them as soon as it runs: whatever ends `up`, `down` finds them.
 * LOC-2  `up` answers when everything listens and every slot is registered; on any failure, and on a signal, it stops what it had
 *        started and gives the directory back.
 * LOC-3  A directory belongs to one `up` at a time.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { RestClient } from "@millrace/client";
import { assertCanListen } from "../arguments.ts";
import { fail } from "../fail.ts";
import { onInterrupt } from "../interrupt.ts";
import { ClusterFile, type LocalCluster } from "../local/cluster-file.ts";
import { type DaemonSpec, endedText, startDaemon } from "../local/daemon.ts";
import { print, table } from "../print.ts";
import { isSameProcess, stopProcess } from "../processes.ts";
import { createProgress } from "../progress.ts";

const startTimeoutMs = 30_000;
const graceMs = 5_000;
const pollMs = 20;
const defaultDir = ".millrace";

interface Where {
  readonly dir: string;
  readonly json?: boolean;
}
export interface UpOptions extends Where {
  readonly taskmanagers: number;
  readonly slots: number;
  readonly port: number;
}

export async function up(options: UpOptions): Promise<LocalCluster> {
  const dir = resolve(options.dir);
  const file = new ClusterFile(dir);
  assertNothingRuns(file, options.dir);
  await assertCanListen("127.0.0.1", options.port);
  mkdirSync(join(dir, "logs"), { recursive: true });
  const progress = createProgress(options);
  using interrupt = onInterrupt("what was started has been stopped");
  // Another `up` may have come first meanwhile.
  if (!file.tryClaim()) {
    assertNothingRuns(file, options.dir);
    throw alreadyUp(options.dir, { starting: "by another process" });
  }
  try {
    const cluster = await startAll(options, { dir, file, interrupt, progress });
    file.complete(cluster);
    progress.end();
    print(options.json === true ? JSON.stringify(cluster) : upText(cluster, options));
    return cluster;
  } catch (error) {
    progress.end();
    await stopAll(file.processes);
    file.release();
    throw error;
  }
}

async function startAll(
  options: UpOptions,
  run: {
    readonly dir: string;
    readonly file: ClusterFile;
    readonly interrupt: { readonly signal: AbortSignal };
    readonly progress: { step(text: string): void };
  },
): Promise<LocalCluster> {
  const { dir, file, progress } = run;
  const { signal } = run.interrupt;
  const store = join(dir, "store");
  const start = (spec: Omit<DaemonSpec, "dir">) =>
    startDaemon(
      { ...spec, dir },
      { signal, timeoutMs: startTimeoutMs, onStarted: (process) => file.add(process) },
    );
  progress.step("starting the JobManager");
  const jobManager = (await start({
    role: "jobmanager",
    name: "jobmanager",
    args: ["--rest-port", String(options.port), "--control-port", "0", "--store", store],
  })) as { readonly rest: string; readonly control: string };
  const { rest, control } = jobManager;
  file.addresses({ rest, control, store });
  progress.step(`starting ${options.taskmanagers} TaskManagers`);
  const names = Array.from({ length: options.taskmanagers }, (_, i) => String(i + 1));
  await Promise.all(
    names.map((n) =>
      start({
        role: "taskmanager",
        name: `taskmanager-${n}`,
        args: [
          ...["--jobmanager", control, "--store", store, "--slots", String(options.slots)],
          ...["--id", `local-${n}`, "--work-dir", join(dir, `taskmanager-${n}`)],
          ...["--log-dir", join(dir, "logs")],
        ],
      }),
    ),
  );
  const slots = options.taskmanagers * options.slots;
  progress.step(`waiting for ${slots} slots`);
  await slotsRegistered({ rest, slots, file, signal });
  return { rest, control, store, processes: file.processes };
}

/** Throws `CLI_ALREADY_UP`, or `CLI_CLUSTER_BROKEN` when something of a cluster is left that is none any more. */
function assertNothingRuns(file: ClusterFile, dir: string): void {
  const known = file.read();
  if (known === undefined) return;
  const { owner } = known;
  const isStarting = owner !== undefined && isSameProcess(owner);
  if (!isStarting && !known.processes.some(isSameProcess)) return;
  const ended = known.processes.filter((process) => !isSameProcess(process));
  if (isStarting) throw alreadyUp(dir, { starting: `by process ${owner.pid}` });
  if (ended.length > 0 || known.rest === "") throw brokenCluster(dir, ended);
  throw alreadyUp(dir, { rest: known.rest });
}

function alreadyUp(dir: string, fields: Readonly<Record<string, string>>): Error {
  return fail("CLI_ALREADY_UP", { fields: { dir, ...fields, stop: downCommand(dir) } });
}

function brokenCluster(dir: string, ended: readonly { name: string; log: string }[]): Error {
  return fail("CLI_CLUSTER_BROKEN", {
    fields: {
      dir,
      ended: ended.map((process) => `${process.name}, see ${process.log}`),
      stop: downCommand(dir),
    },
  });
}

const downCommand = (dir: string) =>
  `millrace local down${dir === defaultDir ? "" : ` --dir ${quoted(dir)}`}`;
const quoted = (path: string) => (/^[\w./:@=+-]+$/.test(path) ? path : `'${path}'`);

function upText({ rest }: LocalCluster, options: UpOptions): string {
  return [
    `up: ${rest}`,
    `  ${options.taskmanagers} TaskManagers with ${options.slots} slots each; state and logs in ${options.dir}`,
    `  submit a job: millrace submit <job.ts> --jobmanager ${rest}`,
    `  stop: ${downCommand(options.dir)}`,
  ].join("\n");
}

export async function down(options: Where): Promise<void> {
  const file = new ClusterFile(resolve(options.dir));
  const cluster = file.read();
  if (cluster === undefined) throw notUp(options.dir);
  // One that is still starting would go on to start more.
  if (cluster.owner !== undefined) await stopProcess(cluster.owner, startTimeoutMs);
  const stopped = await stopAll((file.read() ?? cluster).processes);
  file.release();
  const store = join(options.dir, "store");
  print(
    options.json === true
      ? JSON.stringify({ stopped })
      : `down: stopped ${stopped.length === 0 ? "nothing, all had ended" : stopped.join(", ")}; jobs and checkpoints stay in ${store}`,
  );
}

/** TaskManagers first: they take their runners along, and nothing is restarted meanwhile. */
async function stopAll(processes: LocalCluster["processes"]): Promise<readonly string[]> {
  const stopped: string[] = [];
  for (const role of ["taskmanager", "jobmanager"] as const) {
    await Promise.all(
      processes
        .filter((process) => process.role === role)
        .map(async (process) => {
          if (await stopProcess(process, graceMs)) stopped.push(process.name);
        }),
    );
  }
  return stopped;
}

/** Rejects `CLI_CLUSTER_BROKEN`, after it has printed the table, when not everything runs and answers. */
export async function status(options: Where): Promise<void> {
  const cluster = new ClusterFile(resolve(options.dir)).read();
  if (cluster === undefined) throw notUp(options.dir);
  const processes = cluster.processes.map((process) => ({
    ...process,
    alive: isSameProcess(process),
  }));
  const overview = await new RestClient(cluster.rest || "127.0.0.1:0")
    .overview()
    .catch(() => undefined);
  const { rest } = cluster;
  if (options.json === true)
    print(JSON.stringify({ rest, processes, overview: overview ?? null }, null, 2));
  else {
    print(
      table(
        ["PROCESS", "PID", "STATE", "LOG"],
        processes.map(({ name, pid, alive, log }) => [
          name,
          String(pid),
          alive ? "running" : "ended",
          log,
        ]),
      ),
    );
    print(
      overview === undefined
        ? `\n${rest === "" ? "the JobManager" : rest} does not answer`
        : `\n${rest}: ${overview.taskmanagers} TaskManagers, ${overview["slots-available"]} of ${overview["slots-total"]} slots free, ${overview["jobs-running"]} jobs running`,
    );
  }
  const ended = processes.filter(({ alive }) => !alive);
  if (ended.length > 0 || overview === undefined) throw brokenCluster(options.dir, ended);
}

function notUp(dir: string): Error {
  const start = `millrace local up${dir === defaultDir ? "" : ` --dir ${quoted(dir)}`}`;
  return fail("CLI_NOT_UP", { fields: { dir: resolve(dir), start } });
}

async function slotsRegistered(wanted: {
  readonly rest: string;
  readonly slots: number;
  readonly file: ClusterFile;
  readonly signal: AbortSignal;
}): Promise<void> {
  const client = new RestClient(wanted.rest);
  const end = Date.now() + startTimeoutMs;
  for (;;) {
    wanted.signal.throwIfAborted();
    const ended = wanted.file.processes.find((process) => !isSameProcess(process));
    if (ended !== undefined)
      throw fail("CLI_START_FAILED", {
        fields: { process: ended.name, log: ended.log, output: endedText(ended.log) },
      });
    const overview = await client.overview().catch(() => undefined);
    if (overview !== undefined && overview["slots-total"] >= wanted.slots) return;
    if (Date.now() > end)
      throw fail("CLI_START_FAILED", {
        fields: { process: "taskmanager", reason: "not all slots were registered in time" },
      });
    await new Promise((done) => setTimeout(done, pollMs));
  }
}
