/**
 * A JobManager and TaskManagers as processes, started by the command that users have. Every job gets runner processes of its own, so one
 * cluster serves all runs of a benchmark.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { RestClient, submitJob } from "@millrace/client";
import type { Benchmark, Deployment } from "./benchmark.ts";
import { childrenOf } from "./processes.ts";
import { installPublished } from "./published.ts";
import type { VariantRun } from "./variant.ts";

/** From source, as `pnpm millrace` runs it. */
const sourceMain = join(import.meta.dirname, "../../apps/cli/src/main.ts");
const startMs = 20_000;
const jobMs = 300_000;
const lookMs = 50;

export interface ClusterOptions {
  /** The cluster runs the published package, packed for it. */
  readonly published?: boolean;
}
export interface Layout {
  readonly taskManagers: number;
  readonly slots: number;
}
export function layoutOf(deployment: Deployment, parallelism: number): Layout | undefined {
  switch (deployment) {
    case "in process":
      return undefined;
    case "one runner":
      return { taskManagers: 1, slots: parallelism };
    case "runners":
      return { taskManagers: parallelism, slots: 1 };
  }
}

export class LocalCluster implements AsyncDisposable {
  readonly client: RestClient;
  readonly dir: string;
  readonly jobManager: ChildProcess;
  readonly taskManagers: ChildProcess[] = [];
  readonly #layout: Layout;
  readonly #control: string;
  readonly #main: string;

  private constructor(
    { dir, main }: { readonly dir: string; readonly main: string },
    layout: Layout,
    jobManager: { readonly child: ChildProcess; readonly rest: string; readonly control: string },
  ) {
    this.dir = dir;
    this.#main = main;
    this.#layout = layout;
    this.jobManager = jobManager.child;
    this.#control = jobManager.control;
    this.client = new RestClient(jobManager.rest);
  }

  static async start(
    layout: Layout,
    { published = false }: ClusterOptions = {},
  ): Promise<LocalCluster> {
    const dir = mkdtempSync(join(tmpdir(), "millrace-bench-cluster-"));
    mkdirSync(join(dir, "logs"));
    const main = published ? installPublished(dir) : sourceMain;
    const ports = ["--rest-port", "0", "--control-port", "0"];
    const { child, addresses } = await startDaemon(dir, {
      ...{ main, name: "jobmanager" },
      args: ["jobmanager", ...ports, "--store", join(dir, "store")],
    });
    const { rest, control } = addresses as { readonly rest: string; readonly control: string };
    const cluster = new LocalCluster({ dir, main }, layout, { child, rest, control });
    try {
      for (let i = 0; i < layout.taskManagers; i++) await cluster.addTaskManager();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async addTaskManager(): Promise<void> {
    const name = `taskmanager-${this.taskManagers.length}`;
    const before = (await this.client.overview())["slots-total"];
    const { child } = await startDaemon(this.dir, {
      ...{ main: this.#main, name },
      args: [
        ...["taskmanager", "--jobmanager", this.#control, "--store", join(this.dir, "store")],
        ...["--slots", String(this.#layout.slots), "--id", name],
        ...["--work-dir", join(this.dir, name), "--log-dir", join(this.dir, "logs")],
      ],
    });
    this.taskManagers.push(child);
    await until(startMs, async () => (await this.client.overview())["slots-total"] > before);
  }

  /** To its end. Rejects when the job did not finish. */
  async run(run: VariantRun, benchmark: Benchmark): Promise<void> {
    const { variant, records, warm, folder, file, profile = "" } = run;
    const jobId = await this.submit(
      benchmark.modules?.[variant] ?? "job.ts",
      {
        ...{ benchmark: benchmark.name, build: variant, folder, file, profile },
        ...{ records: String(records), warm: String(warm) },
      },
      benchmark.parallelism,
    );
    const state = await this.ended(jobId);
    if (state !== "FINISHED") throw new Error(`the job ended ${state}: ${await this.#why(jobId)}`);
  }
  /** `file` is one of this folder. */
  async submit(
    file: string,
    parameters: Readonly<Record<string, string>>,
    parallelism: number,
  ): Promise<string> {
    const path = join(import.meta.dirname, file);
    const submitted = await submitJob(this.client, {
      file: path,
      check: false,
      parameters,
      parallelism,
    });
    return submitted.jobId;
  }
  /** The state in which the job ended, when its runners have ended too: what they write when they close is there then. */
  async ended(jobId: string): Promise<string> {
    let state = "";
    await until(jobMs, async () => {
      state = (await this.client.job(jobId)).state;
      return ["FINISHED", "FAILED", "CANCELED"].includes(state);
    });
    await until(startMs, async () =>
      this.taskManagers.every(({ pid }) => childrenOf(pid ?? 0).length === 0),
    );
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.taskManagers, this.jobManager]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await exited;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
  async #why(jobId: string): Promise<string> {
    return JSON.stringify(await this.client.exceptions(jobId));
  }
}

async function startDaemon(
  dir: string,
  spec: {
    readonly main: string;
    readonly name: string;
    readonly args: readonly string[];
  },
): Promise<{ readonly child: ChildProcess; readonly addresses: unknown }> {
  const ready = join(dir, `${spec.name}.ready`);
  const log = join(dir, "logs", `${spec.name}.log`);
  const out = openSync(log, "a");
  const child = spawn(process.execPath, [spec.main, ...spec.args, "--ready-file", ready], {
    stdio: ["ignore", out, out],
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  await until(startMs, async () => {
    if (child.exitCode !== null) throw new Error(readFileSync(log, "utf8"));
    return existsSync(ready);
  });
  return { child, addresses: JSON.parse(readFileSync(ready, "utf8")) };
}

/** A signal ends this process in order, and with it every daemon: they die with the process that started them. */
export function endOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

export async function until(limitMs: number, isDone: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await isDone())) {
    if (Date.now() > end) throw new Error(`not done after ${limitMs / 1_000} s`);
    await pause(lookMs);
  }
}
