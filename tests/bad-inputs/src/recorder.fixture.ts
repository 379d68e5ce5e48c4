/**
 * Loaded into the command under test before anything else (`NODE_OPTIONS=--import`): one line per act that leaves a trace outside the
 * process, appended to the file that MILLRACE_RECORD names. The act itself goes on.
 */
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import { basename } from "node:path";
import workers from "node:worker_threads";

const target = process.env["MILLRACE_RECORD"];
const append = fs.appendFileSync;
/** Appending is itself a write, made of other writes. */
let recording = false;
function record(what: string, detail: string): void {
  if (target === undefined || recording) return;
  recording = true;
  append(target, `${what}\t${detail}\n`);
  recording = false;
}

type Call = (this: unknown, ...args: unknown[]) => unknown;
/** Calls `note` before the method runs. */
function before(owner: object, name: string, note: (...args: unknown[]) => void): void {
  const methods = owner as Record<string, Call>;
  const original = methods[name];
  if (original === undefined) return;
  methods[name] = function (...args) {
    note(...args);
    return original.apply(this, args);
  };
}

before(net.Server.prototype, "listen", (...args) => record("listen", JSON.stringify(args[0])));

interface Started {
  spawn(options: { readonly file: string; readonly args?: readonly string[] }): unknown;
  readonly pid?: number;
}
const started = childProcess.ChildProcess.prototype as unknown as Started;
const spawn = started.spawn;
started.spawn = function (this: Started, options) {
  const answer = spawn.call(this, options);
  // A script is told by its name: node itself says nothing.
  const script = (options.args ?? []).slice(1).find((arg) => !arg.startsWith("-"));
  const named = basename(options.file).startsWith("node") ? (script ?? "") : options.file;
  record("spawn", `${basename(named)}\t${this.pid ?? 0}`);
  return answer;
};
for (const name of ["spawnSync", "execFileSync", "execSync"])
  before(childProcess, name, (file) => record("spawn", `${basename(String(file))}\t0`));

const { Worker } = workers;
workers.Worker = class extends Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    record("thread", basename(String(args[0])));
    super(...args);
  }
};

/** Where the path is among the arguments. */
const writes: Readonly<Record<string, number>> = {
  appendFile: 0,
  copyFile: 1,
  cp: 1,
  link: 1,
  mkdir: 0,
  mkdtemp: 0,
  rename: 1,
  symlink: 1,
  writeFile: 0,
};
for (const [name, at] of Object.entries(writes)) {
  const note = (...args: unknown[]) => record("write", String(args[at]));
  before(fs, name, note);
  before(fs, `${name}Sync`, note);
  before(fs.promises, name, note);
}
const opened = (path: unknown, flags: unknown) => {
  const writing =
    typeof flags === "number"
      ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT)) !== 0
      : typeof flags === "string" && /[wa+]/.test(flags);
  if (writing) record("write", String(path));
};
for (const owner of [fs, fs.promises]) before(owner, "open", opened);
before(fs, "openSync", opened);
before(fs, "createWriteStream", (path) => record("write", String(path)));
syncBuiltinESMExports();
record("start", process.argv.slice(2).join(" "));
