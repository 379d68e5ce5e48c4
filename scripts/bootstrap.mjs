/**
 * Makes a fresh clone ready and then runs one script of the repository with the repository's own Node.
 * Plain JavaScript without dependencies, because it runs before anything is installed, on any Node from 20 on.
 *
 *   node scripts/bootstrap.mjs [script [argument …]]
 *
 * BOO-1  The stamp is written only after an install that succeeded: whatever was interrupted is done again.
 * BOO-2  With a matching stamp nothing is asked of pnpm or the network.
 * BOO-3  Only one bootstrap installs at a time, also when many find the lock of one that died; others wait for it and
 *        then find its stamp.
 * BOO-4  Ctrl-C ends the install and leaves neither stamp nor lock.
 * BOO-5  When the npm that started it is ended or killed, what it runs is ended. npm starts a shell, which hands no signal
 *        on; the scripts of package.json begin with `exec`, so that npm is the parent.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cache = join(root, "node_modules/.cache/millrace");
const stampFile = join(cache, "setup-stamp");
const lockFolder = join(root, ".setup-lock");
const bin = join(root, "node_modules/.bin");
const isWindows = process.platform === "win32";

const parent = process.ppid;
const startedByNpm = process.env.npm_lifecycle_event !== undefined;

const [script, ...args] = process.argv.slice(2);
let interrupted = false;
process.on("SIGINT", () => {
  interrupted = true; // the child is in our process group and got the signal too: it ends, then we do
});

await setUp();
if (script !== undefined) process.exit(await runScript());

async function setUp() {
  if (isReady()) return;
  const release = await acquireLock();
  let isDone = false;
  try {
    isDone = isReady() || (await install());
  } finally {
    release();
  }
  if (!isDone) process.exit();
}

function isReady() {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp();
}

/** Everything that decides what an install puts where, as one hash. */
function stamp() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${root}\n`);
  const manifests = ["packages", "apps", "examples", "tests"].flatMap((folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder))
          .sort()
          .map((name) => `${folder}/${name}/package.json`)
      : [],
  );
  for (const file of [
    "package.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "benchmarks/package.json",
    ...manifests,
  ]) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(`${file}\n`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

/** False when it could not be done, with the exit code set. */
async function install() {
  const pinned = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager;
  process.stderr.write(
    `setting up: ${pinned} install (once, and again when dependencies change)\n`,
  );
  rmSync(stampFile, { force: true });
  const code = await run(isWindows ? "npx.cmd" : "npx", [
    "--yes",
    "--prefer-offline",
    "--loglevel=error",
    pinned,
    "install",
    "--frozen-lockfile",
    "--prefer-offline",
    "--config.confirm-modules-purge=false",
  ]);
  if (interrupted || code === 130) {
    process.stderr.write("interrupted; the next run goes on from here\n");
    process.exitCode = 130;
  } else if (code !== 0) {
    process.stderr.write(
      `the install failed (exit code ${code}); its message is above. Nothing outside this folder and the ` +
        "package managers' caches was changed; run the same command again once the cause is gone.\n",
    );
    process.exitCode = 1;
  } else {
    mkdirSync(cache, { recursive: true });
    writeFileSync(stampFile, stamp());
    return true;
  }
  return false;
}

/**
 * The lock is a folder with one file in it, whose name says who holds it. It appears with its file, by a rename, which an
 * empty folder does not hinder. A holder that died is replaced by a rename of its file to one's own name: of many who
 * want that, one succeeds.
 */
async function acquireLock() {
  const mine = holderName(process.pid);
  const release = () => {
    if (!succeeds(() => unlinkSync(join(lockFolder, mine)))) return; // No longer ours.
    succeeds(() => rmdirSync(lockFolder)); // In between somebody may have come.
  };
  for (let announced = false; ; ) {
    if (succeeds(() => placeLock(mine))) return release;
    const holder = holderOfLock();
    if (holder === undefined) continue; // Given back in between.
    if (!isAlive(holder)) {
      if (succeeds(() => renameSync(join(lockFolder, holder), join(lockFolder, mine))))
        return release;
      continue;
    }
    if (!announced) process.stderr.write("waiting for another set-up of this folder to finish\n");
    announced = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (interrupted) process.exit(130);
  }
}

function placeLock(mine) {
  const own = `${lockFolder}.${mine}`;
  mkdirSync(own, { recursive: true });
  try {
    writeFileSync(join(own, mine), "");
    renameSync(own, lockFolder);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function holderOfLock() {
  try {
    return readdirSync(lockFolder)[0];
  } catch {
    return undefined;
  }
}

/** A pid is given again to other programs; with the time of its start it is not. */
function holderName(pid) {
  return `${pid}-${startTime(pid)}`;
}

function startTime(pid) {
  try {
    if (process.platform !== "linux")
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)])
        .toString()
        .replace(/\W/g, "");
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? "ended" : fields[19];
  } catch {
    return "unknown";
  }
}

function isAlive(holder) {
  const pid = Number(holder.split("-")[0]);
  if (!(pid > 0) || holderName(pid) !== holder) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code !== "ESRCH"; // Somebody else's, then.
  }
}

function succeeds(act) {
  try {
    act();
    return true;
  } catch (error) {
    if (["ENOENT", "EEXIST", "ENOTEMPTY"].includes(error.code)) return false;
    throw error;
  }
}

function runScript() {
  const node = join(bin, isWindows ? "node.exe" : "node");
  const major = Number(process.versions.node.split(".")[0]);
  if (!existsSync(node) && major < 24) {
    process.stderr.write(
      `no Node 24 is published as an npm package for ${process.platform}-${process.arch}: ` +
        "run this command with a Node of version 24 or later\n",
    );
    return 1;
  }
  return run(existsSync(node) ? node : process.execPath, [join(root, script), ...args]);
}

function run(command, commandArgs) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };
  for (const name of Object.keys(env)) {
    // What npm tells its scripts about this package would mislead an npm started in another folder.
    if (/^npm_(package|lifecycle)_|^npm_config_local_prefix$|^INIT_CWD$/i.test(name))
      delete env[name];
  }
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArgs, {
      cwd: root,
      env,
      stdio: "inherit",
      shell: isWindows,
    });
    const forward = (signal) => child.kill(signal);
    process.on("SIGTERM", forward);
    const watch = setInterval(() => {
      if (startedByNpm && process.ppid !== parent) child.kill("SIGTERM");
    }, 1_000);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearInterval(watch);
      process.off("SIGTERM", forward);
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}
