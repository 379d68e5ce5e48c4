/**
 * The quickstart's cluster, started and stopped through the `millrace` command, as a user would.
 *
 * QLC-1  Commands run in process groups of their own: Ctrl-C in a terminal reaches this script only, which lets a command
 *        that is starting daemons end, and then stops them.
 * QLC-2  After `interrupt` every step but `down` throws `Stopped`.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../layers.ts";

/** Thrown where a step would begin after Ctrl-C. */
export class Stopped extends Error {}

export interface ClusterInfo {
  readonly rest: string;
  readonly processes: readonly {
    readonly role: string;
    readonly name: string;
    readonly pid: number;
  }[];
}

const requestDeadlineMs = 5_000;

export class LocalCluster {
  readonly #folder: string;
  #info: ClusterInfo | undefined;
  #stopping = false;
  /** A submission may be cut off; a start of daemons must end by itself. */
  #cutOff: (() => void) | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }
  get stopping(): boolean {
    return this.#stopping;
  }
  interrupt(): void {
    this.#stopping = true;
    this.#cutOff?.();
  }

  async up(): Promise<ClusterInfo> {
    const args = ["local", "up", "--port", "0", "--taskmanagers", "2", "--slots", "2"];
    this.#info = JSON.parse(
      await this.#command([...args, "--dir", this.#folder, "--json"]),
    ) as ClusterInfo;
    this.#assertGoingOn();
    return this.#info;
  }

  /** Id of the job. */
  async submit(file: string, settings: readonly string[], parallelism: number): Promise<string> {
    const sets = settings.flatMap((setting) => ["--set", setting]);
    const args = [
      "submit",
      file,
      "--jobmanager",
      this.#running().rest,
      "-p",
      String(parallelism),
      ...sets,
      "--json",
    ];
    const text = await this.#command(args, { canBeCutOff: true });
    return (JSON.parse(text) as { readonly jobId: string }).jobId;
  }

  /** What REST answers to a path below /v1. */
  async get<A>(path: string): Promise<A> {
    this.#assertGoingOn();
    const response = await fetch(`${this.#running().rest}/v1${path}`, {
      signal: AbortSignal.timeout(requestDeadlineMs),
    });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as A;
  }

  /** SIGKILL, only for a TaskManager of this cluster. */
  kill(pid: number): void {
    const isOurs = this.#running().processes.some(
      (each) => each.role === "taskmanager" && each.pid === pid,
    );
    if (!isOurs) throw new Error(`${pid} is not a TaskManager of this cluster`);
    process.kill(pid, "SIGKILL");
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms);
    this.#assertGoingOn();
  }

  /** Stops what is running, also from a run that was killed. */
  async down(): Promise<void> {
    if (!existsSync(join(this.#folder, "cluster.json"))) return;
    await this.#command(["local", "down", "--dir", this.#folder, "--json"], { always: true });
    this.#info = undefined;
  }

  #running(): ClusterInfo {
    if (this.#info === undefined) throw new Error("the cluster is not running");
    return this.#info;
  }
  #assertGoingOn(): void {
    if (this.#stopping) throw new Stopped();
  }

  async #command(
    args: readonly string[],
    options: { readonly always?: boolean; readonly canBeCutOff?: boolean } = {},
  ): Promise<string> {
    if (options.always !== true) this.#assertGoingOn();
    const main = join(root, "apps/cli/src/main.ts");
    const child = spawn(process.execPath, [main, ...args], {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (options.canBeCutOff === true) this.#cutOff = () => child.kill("SIGTERM");
    let out = "";
    let problems = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (problems += chunk.toString()));
    const code = await new Promise<number>((done, reject) => {
      child.on("error", reject);
      child.on("close", (exit) => done(exit ?? 1));
    });
    this.#cutOff = undefined;
    if (code === 0) return out;
    if (options.canBeCutOff === true) this.#assertGoingOn();
    throw new Error(`millrace ${args.slice(0, 2).join(" ")} failed:\n${textOf(problems)}`);
  }
}

/** With `--json` an error comes as one JSON line; what it says is in it. */
function textOf(problems: string): string {
  const line = problems.split("\n").find((each) => each.startsWith("{"));
  if (line === undefined) return problems.trimEnd();
  const { error } = JSON.parse(line) as {
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly fix?: string;
      readonly fields?: unknown;
    };
  };
  return `${error.code}: ${error.message}\n  ${JSON.stringify(error.fields)}\n  fix: ${error.fix ?? ""}`;
}
