/** What user code prints: plain in `run`, lines of the log with uid and subtask on a cluster. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = join(import.meta.dirname, "../../../apps/cli/src/main.ts");
const job = join(import.meta.dirname, "../jobs/prints.ts");
const laterJob = join(import.meta.dirname, "../jobs/prints-later.ts");
const dir = mkdtempSync(join(tmpdir(), "millrace-console-"));
let rest = "";

function millrace(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => (stdout += String(data)));
  child.stderr.on("data", (data) => (stderr += String(data)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

beforeAll(async () => {
  const up = await millrace(
    ...["local", "up", "--taskmanagers", "1", "--slots", "2", "--port", "0", "--json"],
  );
  rest = (JSON.parse(up.stdout) as { readonly rest: string }).rest;
});
afterAll(async () => {
  await millrace("local", "down");
  rmSync(dir, { recursive: true, force: true });
});

/** The job's log. */
async function linesOf(name: string): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await millrace("logs", name, "--jobmanager", rest, "-n", "1000");
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const shown = "from the map 10n Map(1) { 'k' => 1 } <ref *1> { self: [Circular *1] }";

test("in run, console is Node's own", async () => {
  const { code, stdout, stderr } = await millrace("run", job, "--no-check");
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/\b10\n/);
  for (const line of [shown, "from the window"]) expect(stdout.split("\n")).toContain(line);
  expect(stderr).toContain("from the source\n");
  expect(stderr).toMatch(/RangeError: printed, not thrown\n +at .*prints\.ts/);
});

test("on a cluster it is a line of the log with level, uid and subtask; so is the exception that ended the job", async () => {
  const submitted = await millrace(
    ...["submit", job, "--no-check", "--wait", "--jobmanager", rest, "--set", "fails=true"],
  );
  expect(submitted.code, submitted.stderr).toBe(1);
  const lines = await linesOf("prints");
  const at = (text: string) => lines.find(({ msg }) => String(msg).startsWith(text));
  const user = { from: "user", subtask: 0, slot: 0 };
  expect(at("from the source")).toMatchObject({ ...user, level: "warn", uid: "rows" });
  expect(at(shown)).toMatchObject({ ...user, level: "info", uid: "the-map" });
  expect(at("RangeError: printed")).toMatchObject({ ...user, level: "error", uid: "the-map" });
  expect(String(at("RangeError: printed")?.["msg"])).toMatch(/prints\.ts:\d+:\d+/);
  expect(at("from the window")).toMatchObject({ ...user, level: "info", uid: "the-window" });
  const failure = at("a subtask failed");
  expect(failure).toMatchObject({ level: "error", subtask: 0 });
  for (const text of ["USER_CODE_THREW", "thrown, not printed", "the-window", "prints.ts:"])
    expect(String(failure?.["error"])).toContain(text);
});

test("OWN-1 SLT-5: so it is after an await, in a timer, in a hook, in a source and a sink that work by themselves, and in a record after these", async () => {
  const submitted = await millrace(
    ...["submit", laterJob, "--no-check", "--wait", "--jobmanager", rest],
  );
  expect(submitted.code, submitted.stderr).toBe(0);
  const lines = (await linesOf("prints-later")).filter(({ from }) => from === "user");
  for (const line of lines) {
    const [uid] = String(line["msg"]).split(":");
    expect(line).toMatchObject({ uid, subtask: expect.any(Number) as number });
  }
  const said = [
    ...["rows/enumerator: start", "rows/enumerator: callAsync", "rows/enumerator: close"],
    ...["rows: createReader", "rows: addSplits", "rows: close"],
    ...["calls: open", "calls: call 0", "calls: call 50", "calls: close"],
    ...["keyed: open", "keyed: close"],
    ...["out: open", "out: flush", "out: prepareCommit", "out: close"],
    ...["out/committer: open", "out/committer: commit", "out/committer: close"],
  ].flatMap((text) => [text, `${text}, in a timer`, `${text}, after an await`]);
  const printed = lines.map(({ msg }) => msg);
  for (const text of [...said, "calls: abort", "calls: onTimeout", "map: 50", "keyed: 50"])
    expect(printed).toContain(text);
  for (const text of ["keyed: open, in a timer", "out: close, after an await"]) {
    const subtasks = lines.filter(({ msg }) => msg === text).map(({ subtask }) => subtask);
    expect([...subtasks].sort()).toEqual([0, 1]);
  }
});
