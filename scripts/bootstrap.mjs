/**
 * Makes a fresh clone ready and then runs one script of the repository with the repository's own Node.
 * Plain JavaScript without dependencies, because it runs before anything is installed, on any Node from 20 on.
 *
 *   node scripts/bootstrap.mjs [script [argument …]]
 *
 * BOO-1  The stamp is written only after an install that succeeded: whatever was interrupted is done again.
 * BOO-2  With a matching stamp nothing is asked of pnpm or the network.
 * BOO-3  Only one bootstrap installs at a time; others wait for it and then find its stamp.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
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
  try {
    if (!isReady()) await install();
  } finally {
    release();
  }
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
    return;
  }
  rmSync(lockFolder, { recursive: true, force: true });
  process.exit();
}

/** A folder is the lock, since making one is atomic. Whoever died holding it is recognised by its process id. */
async function acquireLock() {
  const owner = join(lockFolder, "pid");
  for (let announced = false; ; ) {
    try {
      mkdirSync(lockFolder);
      writeFileSync(owner, String(process.pid));
      return () => rmSync(lockFolder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isAbandoned(owner)) {
      rmSync(lockFolder, { recursive: true, force: true });
      continue;
    }
    if (!announced) process.stderr.write("waiting for another set-up of this folder to finish\n");
    announced = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (interrupted) process.exit(130);
  }
}

function isAbandoned(owner) {
  try {
    const pid = Number(readFileSync(owner, "utf8"));
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    if (error.code === "ESRCH") return true;
    if (error.code !== "ENOENT") return false;
    // No pid yet: its maker is between two calls, or died there.
    return existsSync(lockFolder) && Date.now() - statSync(lockFolder).mtimeMs > 5_000;
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
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGTERM", forward);
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}
