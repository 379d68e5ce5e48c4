/** The daemons under test: started by the command line's own entry, killed and frozen by pid, started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const main = join(import.meta.dirname, "../../../apps/cli/src/main.ts");

export interface Daemon {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  child: ChildProcess | undefined;
  frozen: boolean;
}

export class Daemons {
  readonly dir: string;
  readonly all: Daemon[] = [];
  rest = "";
  #closing = false;
  readonly #frozen = new Set<number>();

  constructor(dir: string) {
    this.dir = dir;
    mkdirSync(join(dir, "logs"), { recursive: true });
  }

  /** One JobManager on fixed ports, so that a new one is found where the old one was, and TaskManagers of two slots each. */
  async start(
    taskManagers: number,
    faultPoints: { readonly jobManager: string; readonly taskManager: string },
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const [restPort, controlPort] = [await freePort(), await freePort()];
    this.rest = `http://127.0.0.1:${restPort}`;
    const store = join(this.dir, "store");
    await this.#launch({
      name: "jobmanager",
      env: { MILLRACE_FAULT_POINTS: faultPoints.jobManager },
      child: undefined,
      frozen: false,
      args: [
        "jobmanager",
        "--rest-port",
        String(restPort),
        "--control-port",
        String(controlPort),
        "--store",
        store,
        "-D",
        "heartbeat.timeout=1500ms",
      ],
    });
    for (let i = 0; i < taskManagers; i++) {
      await this.#launch({
        name: `tm-${i}`,
        env: { MILLRACE_FAULT_POINTS: faultPoints.taskManager, ...env },
        child: undefined,
        frozen: false,
        args: [
          "taskmanager",
          "--jobmanager",
          `127.0.0.1:${controlPort}`,
          "--store",
          store,
          "--slots",
          "2",
          "--id",
          `tm-${i}`,
          "--work-dir",
          join(this.dir, `tm-${i}`),
          "--log-dir",
          join(this.dir, "logs"),
        ],
      });
    }
  }
  kill(daemon: Daemon): void {
    daemon.child?.kill("SIGKILL");
  }
  freeze(daemon: Daemon, ms: number): void {
    if (daemon.frozen || daemon.child === undefined) return;
    const { child } = daemon;
    daemon.frozen = true;
    child.kill("SIGSTOP");
    setTimeout(() => {
      daemon.frozen = false;
      child.kill("SIGCONT");
    }, ms);
  }
  /** A process that is no daemon of ours; it is woken at the end at the latest. */
  freezeProcess(pid: number, ms: number): void {
    process.kill(pid, "SIGSTOP");
    this.#frozen.add(pid);
    setTimeout(() => this.#wake(pid), ms);
  }
  #wake(pid: number): void {
    if (!this.#frozen.delete(pid)) return;
    try {
      process.kill(pid, "SIGCONT");
    } catch {
      // It has been ended meanwhile.
    }
  }
  /** Pids of task runners: the children of TaskManagers. */
  runners(): readonly number[] {
    const parents = new Set(this.all.flatMap((daemon) => daemon.child?.pid ?? []));
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => parents.has(parentOf(pid)));
  }
  async close(): Promise<void> {
    this.#closing = true;
    for (const pid of [...this.#frozen]) this.#wake(pid);
    await Promise.all(
      this.all.map(
        (daemon) =>
          new Promise<void>((resolve) => {
            if (
              daemon.child === undefined ||
              daemon.child.exitCode !== null ||
              daemon.child.signalCode !== null
            )
              return resolve();
            daemon.child.once("exit", () => resolve());
            daemon.child.kill("SIGCONT");
            daemon.child.kill("SIGKILL");
          }),
      ),
    );
  }

  async #launch(daemon: Daemon): Promise<void> {
    if (!this.all.includes(daemon)) this.all.push(daemon);
    const ready = join(this.dir, `${daemon.name}.ready`);
    rmSync(ready, { force: true });
    const log = openSync(join(this.dir, "logs", `${daemon.name}.log`), "a");
    const child = spawn(process.execPath, [main, ...daemon.args, "--ready-file", ready], {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...daemon.env },
    });
    daemon.child = child;
    child.once("exit", () => {
      // What a fault point or this campaign has killed comes back, as a supervisor would bring it.
      if (!this.#closing && daemon.child === child)
        setTimeout(() => {
          if (!this.#closing) void this.#launch(daemon);
        }, 200);
    });
    const end = Date.now() + 20_000;
    while (!existsSync(ready) && Date.now() < end && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function parentOf(pid: number): number {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[1],
    );
  } catch {
    return 0;
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
