/** Prometheus's own linter. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Its path, found or installed; otherwise why there is none. */
export function findPromtool(): { readonly path: string } | { readonly missing: string } {
  const found = onPath();
  if (found !== undefined) return { path: found };
  if (process.getuid?.() !== 0)
    return { missing: "no promtool on the PATH, and not root to install it" };
  const apt = (args: readonly string[]) =>
    spawnSync("apt-get", ["-qq", ...args], {
      encoding: "utf8",
      timeout: 300_000,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  apt(["update"]);
  const { error, stderr } = apt(["install", "-y", "--no-install-recommends", "prometheus"]);
  const installed = onPath();
  return installed === undefined
    ? {
        missing: `no promtool, and apt-get gave none: ${String(error ?? stderr)
          .trim()
          .slice(-200)}`,
      }
    : { path: installed };
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

function onPath(): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "promtool"))
    .find((file) => existsSync(file));
}
