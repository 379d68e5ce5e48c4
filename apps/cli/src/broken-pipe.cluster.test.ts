/** PIP-1  A reader that stops early ends the command as a SIGPIPE would: exit code 141, and not a word. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = join(import.meta.dirname, "main.ts");
const jobs = Array.from({ length: 5_000 }, (_, i) => ({
  jid: i.toString(16).padStart(32, "0"),
  name: `job-${i}`,
  state: "FINISHED",
  "start-time": 0,
  duration: 1,
  tasks: { running: 0, total: 1 },
}));
let folder: string;
let server: Server;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-pipe-")));
  const millrace = join(import.meta.dirname, "../../../packages/millrace/src/index.ts");
  // Without an end: only the broken pipe ends it.
  writeFileSync(
    join(folder, "endless.mjs"),
    `import { defineJob, generatorSource, Watermarks } from ${JSON.stringify(millrace)};
export default defineJob("endless", (env) => {
  env.fromSource(generatorSource({ create: (i) => i }), Watermarks.none()).uid("numbers").print();
});
`,
  );
  server = createServer((_request, response) => response.end(JSON.stringify({ jobs })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** `millrace <args> | <reader>`: what the reader printed, and what the command said and answered. */
function piped(args: readonly string[], reader: string, errors = `2> ${join(folder, "stderr")}`) {
  const file = (name: string) => join(folder, name);
  const port = String((server.address() as AddressInfo).port);
  const script = `{ "$0" "$@" ${errors}; echo $? > ${file("status")}; } | ${reader}`;
  return new Promise<{ read: string; stderr: string; status: string }>((resolve, reject) => {
    const shell = spawn("sh", ["-c", script, process.execPath, main, ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], MILLRACE_JOBMANAGER: `http://127.0.0.1:${port}` },
    });
    let read = "";
    shell.stdout.on("data", (chunk: Buffer) => {
      read += chunk.toString("utf8");
    });
    shell.on("error", reject);
    shell.on("close", () =>
      resolve({
        read,
        stderr: errors === "2>&1" ? "" : readFileSync(file("stderr"), "utf8"),
        status: readFileSync(file("status"), "utf8").trim(),
      }),
    );
  });
}

test("PIP-1: a job without end that prints into `head -1`", async () => {
  expect(await piped(["run", "endless.mjs"], "head -n 1")).toEqual({
    read: "1> 0\n",
    stderr: "",
    status: "141",
  });
});

test("PIP-1: a long list into `head -1`", async () => {
  const { read, stderr, status } = await piped(["list"], "head -n 1");
  expect(read).toMatch(/^ID +NAME/);
  expect({ stderr, status }).toEqual({ stderr: "", status: "141" });
});

test.each([
  [["list"]],
  [["list", "--json"]],
  [["plan", "endless.mjs"]],
  [["plan", "endless.mjs", "--json"]],
  [["run", "endless.mjs"]],
  [["run", "--help"]],
])("PIP-1: %j into a reader that has gone", async (args) => {
  // `true` ends at once, long before the command has anything to say.
  expect(await piped(args, "true")).toEqual({ read: "", stderr: "", status: "141" });
});

test("PIP-1: an error message into a reader that has gone", async () => {
  expect(await piped(["lst"], "true", "2>&1")).toMatchObject({ read: "", status: "141" });
});
