/**
 * Prometheus's own linter: the one on the PATH, or the one of Debian's package `prometheus`, unpacked into this
 * repository's cache. Nothing is ever installed on the machine: apt's lists and archives are kept in a folder of the
 * cache too, which takes no right of root.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";

const cache = join(import.meta.dirname, "../../../node_modules/.cache/millrace");
const unpacked = join(cache, "promtool");
const stepTimeoutMs = 120_000;

/** Its path, found or fetched; otherwise why there is none. */
export function findPromtool(): { readonly path: string } | { readonly missing: string } {
  const found = existsSync(unpacked) ? unpacked : onPath();
  if (found !== undefined) return { path: found };
  const folder = join(cache, `promtool-${process.pid}`);
  try {
    mkdirSync(join(folder, "lists/partial"), { recursive: true });
    mkdirSync(join(folder, "archives/partial"), { recursive: true });
    fetchPackage(folder);
    renameSync(join(folder, "files/usr/bin/promtool"), unpacked);
    chmodSync(unpacked, 0o755);
    return { path: unpacked };
  } catch (error) {
    const missing = `no promtool on the PATH, and none could be fetched: ${(error as Error).message}`;
    process.stderr.write(`\n==== SKIPPED: promtool check metrics: ${missing}\n\n`);
    return { missing };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What `promtool check metrics` says about a scrape: nothing when it is clean. Throws when it cannot be run. */
export function lint(promtool: string, text: string): string {
  const { status, stdout, stderr, error } = spawnSync(promtool, ["check", "metrics"], {
    input: text,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  const said = `${stdout}${stderr}`.trim();
  return status === 0 ? said : `exit ${status}: ${said}`;
}

function fetchPackage(folder: string): void {
  const own = [
    `Dir::State::lists=${join(folder, "lists")}`,
    `Dir::Cache=${folder}`,
    "Debug::NoLocking=1",
    "APT::Update::Post-Invoke=",
    "APT::Sandbox::User=",
  ].flatMap((option) => ["-o", option]);
  step("apt-get", ["-qq", ...own, "update"], folder);
  step("apt-get", ["-qq", ...own, "download", "prometheus"], folder);
  const archive = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (archive === undefined) throw new Error("apt-get download left no package");
  step("dpkg-deb", ["-x", archive, "files"], folder);
}

function step(command: string, args: readonly string[], cwd: string): void {
  const { status, error, stderr } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: stepTimeoutMs,
  });
  if (error !== undefined || status !== 0)
    throw new Error(
      `${command}: ${String(error ?? stderr)
        .trim()
        .slice(-200)}`,
    );
}

function onPath(): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "promtool"))
    .find((file) => existsSync(file));
}
