/** Real daemons on loopback, started by the command line's own entry. Ends only what it has started. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RestClient } from "@millrace/client";

const main = join(import.meta.dirname, "../../../apps/cli/src/main.ts");

export class Cluster {
  readonly dir = mkdtempSync(join(tmpdir(), "millrace-observe-"));
  readonly #children = new Map<string, ChildProcess>();
  /** "host:port" of each TaskManager's `/metrics`. */
  readonly metricsOf: string[] = [];
  #ports = { rest: 0, control: 0 };

  /** One JobManager on ports that stay, and TaskManagers of two slots each. */
  static async start(taskManagers: number): Promise<Cluster> {
    const cluster = new Cluster();
    mkdirSync(join(cluster.dir, "logs"));
    cluster.#ports = { rest: await freePort(), control: await freePort() };
    await cluster.startJobManager();
    const control = `127.0.0.1:${cluster.#ports.control}`;
    const ready = await Promise.all(
      Array.from({ length: taskManagers }, (_, i) =>
        cluster.#launch(`tm-${i}`, [
          ...["taskmanager", "--jobmanager", control, "--store", cluster.#store],
          ...["--slots", "2", "--id", `tm-${i}`, "--work-dir", join(cluster.dir, `tm-${i}`)],
          ...["--log-dir", join(cluster.dir, "logs")],
        ]),
      ),
    );
    cluster.metricsOf.push(...ready.map(({ metrics }) => metrics ?? ""));
    const slots = taskManagers * 2;
    await until("all slots", async () =>
      (await cluster.client.overview())["slots-total"] === slots ? true : undefined,
    );
    return cluster;
  }
  get client(): RestClient {
    return new RestClient(this.rest);
  }
  get rest(): string {
    return `http://127.0.0.1:${this.#ports.rest}`;
  }
  get #store(): string {
    return join(this.dir, "store");
  }
  async startJobManager(): Promise<void> {
    await this.#launch("jobmanager", [
      ...["jobmanager", "--store", this.#store, "--rest-port", String(this.#ports.rest)],
      ...["--control-port", String(this.#ports.control)],
    ]);
  }
  /** SIGKILL; resolves when the process has gone. */
  async kill(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined) throw new Error(`${name} does not run`);
    this.#children.delete(name);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }
  /** Answer of a path of Flink's REST API, version 1. */
  async get<A>(path: string): Promise<A> {
    const response = await fetch(`${this.rest}/v1${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as A;
  }
  async close(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((name) => this.kill(name)));
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async #launch(
    name: string,
    args: readonly string[],
  ): Promise<Readonly<Record<string, string | undefined>>> {
    const ready = join(this.dir, `${name}.ready`);
    const log = join(this.dir, "logs", `${name}.log`);
    rmSync(ready, { force: true });
    const out = openSync(log, "a");
    const child = spawn(process.execPath, [main, ...args, "--ready-file", ready], {
      stdio: ["ignore", out, out],
    });
    this.#children.set(name, child);
    return await until(`${name} to listen`, () => {
      if (child.exitCode !== null) throw new Error(`${name}: ${readFileSync(log, "utf8")}`);
      // The file may be there before its content.
      return existsSync(ready) ? parsed(readFileSync(ready, "utf8")) : undefined;
    });
  }
}

/** What `look` gives as soon as it gives something; what it gave or threw last when that takes too long. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 20_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function parsed(text: string): Readonly<Record<string, string>> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
