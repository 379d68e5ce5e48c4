/**
 * A real S3 server on loopback, for tests: Versity's gateway, built once by `go install`; where there is no Go, moto in a virtual
 * environment of Python's; where there is neither, the reason why, said loudly.
 *
 * SRV-1  What is built lies under `node_modules/.cache/millrace`, and one process builds while others wait.
 * SRV-2  The server is ended by its pid, also when the tests die of an error.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

const versitygw = { module: "github.com/versity/versitygw/cmd/versitygw", version: "v1.8.0" };
const moto = { version: "5.1.22" };
const buildTimeoutMs = 480_000;
const startTimeoutMs = 30_000;
const cache = join(import.meta.dirname, "../../../node_modules/.cache/millrace");
const run = promisify(execFile);

export interface S3Server {
  readonly kind: "versitygw" | "moto";
  /** Whether it refuses wrong credentials. */
  readonly checksCredentials: boolean;
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** A new, empty bucket. */
  createBucket(): Promise<string>;
  /** "s3://bucket/prefix?…" as a person would write it. */
  location(bucket: string, prefix: string): string;
  /** Ends it as a crash would; what it has stored stays where it `keepsObjects`. */
  crash(): Promise<void>;
  /** On the same port, after `crash`. */
  restart(): Promise<void>;
  readonly keepsObjects: boolean;
  close(): Promise<void>;
}

/** The server, or why there is none. `MILLRACE_S3_SERVER` = versitygw or moto takes that one only. */
export async function startS3Server(): Promise<S3Server | { readonly skipped: string }> {
  const wanted = process.env["MILLRACE_S3_SERVER"];
  const reasons: string[] = [];
  for (const { kind, prepare } of servers) {
    if (wanted !== undefined && wanted !== kind) continue;
    try {
      return await start(kind, await prepare());
    } catch (error) {
      reasons.push(
        `${kind}: ${String((error as Error).message)
          .trim()
          .split("\n")
          .slice(0, 3)}`,
      );
    }
  }
  process.stderr.write(
    [
      "",
      "==================== SKIPPED: tests against a real S3 server ====================",
      "No S3 server could be had, so nothing below was tested against one.",
      ...reasons.map((reason) => `  ${reason}`),
      `To run them: Go and the network (go install ${versitygw.module}@${versitygw.version}),`,
      "or Python 3 with venv and pip.",
      "==================================================================================",
      "",
    ].join("\n"),
  );
  return { skipped: `no S3 server: ${reasons.join("; ")}` };
}

interface Prepared {
  readonly command: string;
  args(port: number, data: string): readonly string[];
}
const servers: readonly {
  readonly kind: S3Server["kind"];
  prepare(): Promise<Prepared>;
}[] = [
  {
    kind: "versitygw",
    async prepare() {
      const folder = join(cache, `versitygw-${versitygw.version}`);
      const command = join(folder, "versitygw");
      await built(command, async () => {
        const building = `${folder}.building`;
        const module = `${versitygw.module}@${versitygw.version}`;
        await run("go", ["install", module], {
          env: { ...process.env, GOBIN: building },
          timeout: buildTimeoutMs,
        });
        await rename(building, folder);
      });
      return {
        command,
        args: (port, data) => [
          ...["--port", `127.0.0.1:${port}`, "--region", "us-east-1", "--quiet", "--keep-alive"],
          ...["posix", data],
        ],
      };
    },
  },
  {
    kind: "moto",
    async prepare() {
      const folder = join(cache, `moto-${moto.version}`);
      await built(join(folder, "ready"), async () => {
        await rm(folder, { recursive: true, force: true });
        await run("python3", ["-m", "venv", folder], { timeout: buildTimeoutMs });
        await run(
          join(folder, "bin/pip"),
          ["install", "--quiet", `moto[server]==${moto.version}`],
          {
            timeout: buildTimeoutMs,
          },
        );
        writeFileSync(join(folder, "ready"), "");
      });
      return {
        command: join(folder, "bin/moto_server"),
        args: (port) => ["-H", "127.0.0.1", "-p", String(port)],
      };
    },
  },
];

/** SRV-1. The lock is a folder that holds the builder's pid; a dead builder's lock is taken over. */
async function built(product: string, build: () => Promise<void>): Promise<void> {
  const lock = `${join(product, "..")}.lock`;
  mkdirSync(cache, { recursive: true });
  const end = Date.now() + buildTimeoutMs;
  while (!existsSync(product)) {
    try {
      mkdirSync(lock);
    } catch {
      if (!alive(holderOf(lock))) rmSync(lock, { recursive: true, force: true });
      if (Date.now() > end) throw new Error(`${lock} is held too long`);
      await pause(200);
      continue;
    }
    try {
      writeFileSync(join(lock, "pid"), String(process.pid));
      if (!existsSync(product)) await build();
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}
function holderOf(lock: string): number {
  try {
    return Number(readFileSync(join(lock, "pid"), "utf8"));
  } catch {
    // Between the folder and the pid in it: taken as held by somebody alive.
    return process.pid;
  }
}
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function start(kind: S3Server["kind"], prepared: Prepared): Promise<S3Server> {
  const root = await mkdtemp(join(tmpdir(), "millrace-s3-"));
  const data = join(root, "data");
  mkdirSync(data);
  const port = await freePort();
  const credentials = {
    accessKeyId: `AKID${randomBytes(8).toString("hex")}`,
    secretAccessKey: `secret${randomBytes(16).toString("hex")}`,
  };
  const log = openSync(join(root, "server.log"), "a");
  let child: ChildProcess;
  const launch = async () => {
    child = spawn(prepared.command, prepared.args(port, data), {
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: credentials.accessKeyId,
        ROOT_SECRET_KEY: credentials.secretAccessKey,
      },
    });
    await listening(child, port);
  };
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const close = async () => {
    process.off("exit", kill);
    await ended(child);
    await rm(root, { recursive: true, force: true });
  };
  try {
    await launch();
  } catch (error) {
    const said = readFileSync(join(root, "server.log"), "utf8").slice(-500);
    await close();
    throw new Error(`${(error as Error).message} ${said}`);
  }
  const endpoint = `http://127.0.0.1:${port}`;
  const region = "us-east-1";
  return {
    kind,
    checksCredentials: kind === "versitygw",
    endpoint,
    region,
    credentials,
    async createBucket() {
      const Bucket = `bucket-${randomBytes(6).toString("hex")}`;
      const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket }));
      client.destroy();
      return Bucket;
    },
    location: (bucket, prefix) =>
      `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}&region=${region}&pathStyle=true`,
    crash: () => ended(child),
    restart: launch,
    keepsObjects: kind === "versitygw",
    close,
  };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  let failed: Error | undefined;
  child.once("error", (error) => {
    failed = error;
  });
  for (const end = Date.now() + startTimeoutMs; Date.now() < end; await pause(50)) {
    if (failed !== undefined) throw failed;
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}:`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
  }
  throw new Error("did not listen in time:");
}
/** SRV-2. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
      return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
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
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
