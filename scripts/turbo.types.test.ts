/** The command that docs/README.md gives for one package, with a cache of its own. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { root } from "./layers.ts";
import { listPackageFolders, readManifest } from "./workspace-files.ts";

const bin = join(root, "node_modules/.bin");
const cache = mkdtempSync(join(tmpdir(), "millrace-turbo-"));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

async function turbo(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    join(bin, "turbo"),
    ["run", "typecheck", "--cache-dir", cache, ...args],
    {
      cwd: root,
      env: {
        ...process.env,
        PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
        TURBO_TELEMETRY_DISABLED: "1",
      },
      maxBuffer: 1 << 26,
    },
  );
  return stdout;
}

test("one package is type-checked by turbo, and the second time taken from its cache", async () => {
  const documented = /`turbo run typecheck (--filter=[^`]+)`/.exec(
    readFileSync(join(root, "docs/README.md"), "utf8"),
  );
  const filter = documented?.[1] ?? "";
  const first = await turbo(filter);
  expect(first).toContain("cache miss, executing");
  expect(first).toMatch(/typecheck: [12] program\(s\)/);
  expect(await turbo(filter)).toContain("cache hit");
});

test("turbo knows the task of every workspace", async () => {
  interface Task {
    readonly directory: string;
    readonly command: string;
    readonly task: string;
  }
  const { tasks } = JSON.parse(await turbo("--dry=json")) as { readonly tasks: readonly Task[] };
  const runs = tasks.filter(({ task }) => task === "typecheck");
  expect(runs.map(({ directory }) => directory).sort()).toEqual(listPackageFolders().sort());
  for (const { directory, command } of runs)
    expect(command).toBe((readManifest(directory)["scripts"] as { typecheck: string }).typecheck);
});
