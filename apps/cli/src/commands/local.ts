/**
 * A cluster of real processes on loopback: one JobManager, some TaskManagers, everything under one directory.
 *
 * LOC-1  `cluster.json` names the processes (pid and start time), so only processes that `up` started are ever stopped, even when a
 *        pid has been given to another program since.
 * LOC-2  `up` answers when everything listens and every slot is registered; on any failure it stops what it had started.
 */
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { RestClient } from "@millrace/client";
import { assertCanListen } from "../arguments.ts";
import { fail } from "../fail.ts";
import { print, table } from "../print.ts";
import { isSameProcess, processStartTime, stopProcess } from "../processes.ts";

export interface LocalProcess {
  readonly role: "jobmanager" | "taskmanager";
  readonly name: string;
  readonly pid: number;
  readonly startTime: string;
  readonly log: string;
}
export interface LocalCluster {
  readonly rest: string;
  readonly control: string;
  readonly store: string;
  readonly processes: readonly LocalProcess[];
}

const startTimeoutMs = 30_000;
const graceMs = 5_000;

export async function up(options: {
  readonly taskmanagers: number;
  readonly slots: number;
  readonly port: number;
  readonly dir: string;
  readonly json?: boolean;
}): Promise<LocalCluster> {
  const dir = resolve(options.dir);
  const running = readCluster(dir);
  if (running?.processes.some(isSameProcess) === true)
    throw fail("CLI_ALREADY_UP", { fields: { dir, rest: running.rest } });
  await assertCanListen("127.0.0.1", options.port);
  mkdirSync(join(dir, "logs"), { recursive: true });
  const store = join(dir, "store");
  const started: LocalProcess[] = [];
  try {
    const jobManager = await start({
      role: "jobmanager",
      name: "jobmanager",
      dir,
      args: [
        "jobmanager",
        "--rest-port",
        String(options.port),
        "--control-port",
        "0",
        "--store",
        store,
      ],
    });
    started.push(jobManager.process);
    const { rest, control } = jobManager.ready as {
      readonly rest: string;
      readonly control: string;
    };
    const managers = await Promise.all(
      Array.from({ length: options.taskmanagers }, (_, i) =>
        start(
          {
            role: "taskmanager",
            name: `taskmanager-${i + 1}`,
            dir,
            args: [
              "taskmanager",
              "--jobmanager",
              control,
              "--store",
              store,
              "--slots",
              String(options.slots),
              "--id",
              `local-${i + 1}`,
              "--work-dir",
              join(dir, `taskmanager-${i + 1}`),
              "--log-dir",
              join(dir, "logs"),
            ],
          },
          started,
        ),
      ),
    );
    void managers;
    await slotsRegistered(rest, options.taskmanagers * options.slots);
    const cluster: LocalCluster = { rest, control, store, processes: started };
    writeFileSync(join(dir, "cluster.json"), JSON.stringify(cluster, null, 2));
    print(
      options.json === true
        ? JSON.stringify(cluster)
        : [
            `up: ${rest}`,
            `  ${options.taskmanagers} TaskManagers with ${options.slots} slots each; state and logs in ${options.dir}`,
            `  submit a job: millrace submit <job.ts> --jobmanager ${rest}`,
            "  stop: millrace local down",
          ].join("\n"),
    );
    return cluster;
  } catch (error) {
    await Promise.all(started.map((process) => stopProcess(process, graceMs)));
    throw error;
  }
}

export async function down(options: {
  readonly dir: string;
  readonly json?: boolean;
}): Promise<void> {
  const dir = resolve(options.dir);
  const cluster = readCluster(dir);
  if (cluster === undefined) throw fail("CLI_NOT_UP", { fields: { dir } });
  // TaskManagers first: they take their runners along, and nothing is restarted meanwhile.
  const stopped: string[] = [];
  for (const role of ["taskmanager", "jobmanager"] as const) {
    await Promise.all(
      cluster.processes
        .filter((process) => process.role === role)
        .map(async (process) => {
          if (await stopProcess(process, graceMs)) stopped.push(process.name);
        }),
    );
  }
  rmSync(join(dir, "cluster.json"), { force: true });
  print(
    options.json === true
      ? JSON.stringify({ stopped })
      : `down: stopped ${stopped.length === 0 ? "nothing, all had ended" : stopped.join(", ")}; jobs and checkpoints stay in ${join(options.dir, "store")}`,
  );
}

export async function status(options: {
  readonly dir: string;
  readonly json?: boolean;
}): Promise<void> {
  const dir = resolve(options.dir);
  const cluster = readCluster(dir);
  if (cluster === undefined) throw fail("CLI_NOT_UP", { fields: { dir } });
  const processes = cluster.processes.map((process) => ({
    ...process,
    alive: isSameProcess(process),
  }));
  const overview = await new RestClient(cluster.rest).overview().catch(() => undefined);
  if (options.json === true)
    return print(
      JSON.stringify({ rest: cluster.rest, processes, overview: overview ?? null }, null, 2),
    );
  print(
    table(
      ["PROCESS", "PID", "STATE", "LOG"],
      processes.map((process) => [
        process.name,
        String(process.pid),
        process.alive ? "running" : "ended",
        process.log,
      ]),
    ),
  );
  print(
    overview === undefined
      ? `\n${cluster.rest} does not answer`
      : `\n${cluster.rest}: ${overview.taskmanagers} TaskManagers, ${overview["slots-available"]} of ${overview["slots-total"]} slots free, ${overview["jobs-running"]} jobs running`,
  );
}

export function readCluster(dir: string): LocalCluster | undefined {
  const file = join(dir, "cluster.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as LocalCluster) : undefined;
}

/** Starts a daemon of this very program, detached, and waits for its ready file. */
async function start(
  daemon: {
    readonly role: LocalProcess["role"];
    readonly name: string;
    readonly dir: string;
    readonly args: readonly string[];
  },
  started?: LocalProcess[],
): Promise<{ readonly process: LocalProcess; readonly ready: unknown }> {
  const log = join(daemon.dir, "logs", `${daemon.name}.log`);
  const readyFile = join(daemon.dir, `${daemon.name}.ready`);
  rmSync(readyFile, { force: true });
  const out = openSync(log, "a");
  const main = process.argv[1] ?? "";
  const child = spawn(
    process.execPath,
    [...process.execArgv, main, ...daemon.args, "--ready-file", readyFile],
    { detached: true, stdio: ["ignore", out, out] },
  );
  closeSync(out);
  child.unref();
  const pid = child.pid ?? 0;
  const entry: LocalProcess = {
    role: daemon.role,
    name: daemon.name,
    pid,
    startTime: processStartTime(pid) ?? "",
    log,
  };
  started?.push(entry);
  let exited: number | null | undefined;
  child.once("exit", (code) => {
    exited = code ?? -1;
  });
  const end = Date.now() + startTimeoutMs;
  while (Date.now() < end && exited === undefined) {
    if (existsSync(readyFile))
      return { process: entry, ready: JSON.parse(readFileSync(readyFile, "utf8")) };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (exited === undefined) await stopProcess(entry, graceMs);
  const tail = readFileSync(log, "utf8").trimEnd().split("\n").slice(-8);
  throw fail("CLI_START_FAILED", {
    fields: { process: daemon.name, log, exitCode: exited ?? "none", output: tail },
  });
}

async function slotsRegistered(rest: string, slots: number): Promise<void> {
  const client = new RestClient(rest);
  const end = Date.now() + startTimeoutMs;
  while ((await client.overview())["slots-total"] < slots) {
    if (Date.now() > end)
      throw fail("CLI_START_FAILED", {
        fields: { process: "taskmanager", reason: "not all slots were registered in time" },
      });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
