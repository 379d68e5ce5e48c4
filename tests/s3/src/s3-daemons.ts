/** A JobManager and TaskManagers that share a bucket and nothing else; started by the command line's own entry, ended by pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const main = join(import.meta.dirname, "../../../apps/cli/src/main.ts");
const readyMs = 30_000;

export interface DaemonsOptions {
  readonly dir: string;
  /** "s3://…". */
  readonly store: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly taskManagers: number;
}
interface Daemon {
  readonly name: string;
  readonly args: readonly string[];
  child: ChildProcess | undefined;
}

export class S3Daemons {
  readonly rest: string;
  readonly #options: DaemonsOptions;
  readonly #daemons: readonly Daemon[];

  private constructor(
    options: DaemonsOptions,
    ports: { readonly rest: number; readonly control: number },
  ) {
    this.#options = options;
    this.rest = `http://127.0.0.1:${ports.rest}`;
    const { dir, store } = options;
    mkdirSync(join(dir, "logs"), { recursive: true });
    const jobManager = [
      ...["jobmanager", "--rest-port", String(ports.rest), "--control-port", String(ports.control)],
      ...["--store", store, "-D", "heartbeat.timeout=1500ms"],
    ];
    const taskManager = (id: string) => [
      ...["taskmanager", "--jobmanager", `127.0.0.1:${ports.control}`, "--store", store],
      ...["--slots", "2", "--id", id, "--work-dir", join(dir, id), "--log-dir", join(dir, "logs")],
    ];
    this.#daemons = [
      { name: "jobmanager", args: jobManager, child: undefined },
      ...Array.from({ length: options.taskManagers }, (_, i) => ({
        name: `tm-${i}`,
        args: taskManager(`tm-${i}`),
        child: undefined,
      })),
    ];
  }
  static async start(options: DaemonsOptions): Promise<S3Daemons> {
    const daemons = new S3Daemons(options, { rest: await freePort(), control: await freePort() });
    for (const { name } of daemons.#daemons) await daemons.start(name);
    return daemons;
  }

  /** Resolves when it is ready, or has ended by itself: then with its exit code. */
  async start(name: string): Promise<number | undefined> {
    const daemon = this.#find(name);
    const { dir, credentials } = this.#options;
    const ready = join(dir, `${name}.ready`);
    rmSync(ready, { force: true });
    const log = openSync(join(dir, "logs", `${name}.log`), "a");
    const child = spawn(process.execPath, [main, ...daemon.args, "--ready-file", ready], {
      stdio: ["ignore", log, log],
      env: {
        ...withoutAws(process.env),
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        MILLRACE_LOG_LEVEL: "debug",
      },
    });
    daemon.child = child;
    const end = Date.now() + readyMs;
    while (!existsSync(ready) && child.exitCode === null) {
      if (Date.now() > end) throw new Error(`${name} isn't ready: ${this.logs().slice(-2_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return child.exitCode ?? undefined;
  }
  async kill(name: string): Promise<void> {
    const { child } = this.#find(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  /** All that any of them has written. */
  logs(): string {
    const folder = join(this.#options.dir, "logs");
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  }
  async close(): Promise<void> {
    await Promise.all(this.#daemons.map(({ name }) => this.kill(name)));
  }

  #find(name: string): Daemon {
    const daemon = this.#daemons.find((candidate) => candidate.name === name);
    if (daemon === undefined) throw new Error(`no daemon ${name}`);
    return daemon;
  }
}

/** Whatever the machine knows of AWS stays out of the test. */
function withoutAws(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("AWS_"));
  return { ...Object.fromEntries(kept), AWS_EC2_METADATA_DISABLED: "true" };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}
