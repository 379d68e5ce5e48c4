/** What a user sees of a throw in his code: the same place, operator and subtask, wherever he looks. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = join(import.meta.dirname, "../../../apps/cli/src/main.ts");
const jobs = join(import.meta.dirname, "../jobs");
const dir = mkdtempSync(join(tmpdir(), "millrace-errors-"));
let rest = "";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
function millrace(...args: readonly string[]): Promise<Ended> {
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
    "local",
    "up",
    "--taskmanagers",
    "1",
    "--slots",
    "1",
    "--port",
    "0",
    "--json",
  );
  rest = (JSON.parse(up.stdout) as { readonly rest: string }).rest;
});
afterAll(async () => {
  await millrace("local", "down");
  rmSync(dir, { recursive: true, force: true });
});

/** "file:line:column" of the place that holds `text`, as the source says it. */
function placeOf(file: string, text: string): string {
  const lines = readFileSync(join(jobs, file), "utf8").split("\n");
  const line = lines.findIndex((each) => each.includes(text));
  return `${file}:${line + 1}:${(lines[line] ?? "").indexOf(text) + 1}`;
}

/** Behind the exchange a record no longer knows its place in the source: the key and the window say which records it was. */
const behind = { key: '"all"', window: "1970-01-01T00:00:00.000Z to 1970-01-01T00:00:10.000Z" };
const cases = [
  {
    where: "map",
    at: placeOf("throws.ts", 'new Error("no map")'),
    uid: "the-map",
    origin: { position: "record 12" },
  },
  {
    where: "filter",
    at: placeOf("throws.ts", 'new Error("no filter")'),
    uid: "the-filter",
    origin: { position: "record 12" },
  },
  {
    where: "mapAsync",
    at: placeOf("throws.ts", 'new Error("no mapAsync")'),
    uid: "the-async",
    origin: { position: "record 12" },
  },
  {
    where: "add",
    at: placeOf("throws.ts", 'new Error("no add")'),
    uid: "the-window",
    origin: behind,
  },
  {
    where: "window",
    at: placeOf("throws.ts", 'new Error("no window")'),
    uid: "the-window",
    origin: behind,
  },
  {
    where: "helper",
    at: placeOf("helper.ts", "new RangeError("),
    uid: "the-window",
    origin: behind,
  },
];

test.each(cases)(
  "a throw in $where is found in run, after submit and over REST",
  async ({ where, at, uid, origin }) => {
    const file = join(jobs, "throws.ts");
    const [run, submitted] = await Promise.all([
      millrace("run", file, "--no-check", "--set", `where=${where}`),
      millrace(
        "submit",
        file,
        "--no-check",
        "--wait",
        "--jobmanager",
        rest,
        "--set",
        `where=${where}`,
      ),
    ]);
    expect([run.code, submitted.code], run.stderr + submitted.stderr).toEqual([1, 1]);
    const list = (await (await fetch(`${rest}/v1/jobs/overview`)).json()) as {
      readonly jobs: readonly { readonly jid: string; readonly "start-time": number }[];
    };
    const newest = [...list.jobs].sort((a, b) => b["start-time"] - a["start-time"])[0]?.jid ?? "";
    const answer = (await (await fetch(`${rest}/v1/jobs/${newest}/exceptions`)).json()) as {
      readonly exceptionHistory: {
        readonly entries: readonly {
          readonly error: { readonly code: string; readonly fields: Record<string, unknown> };
        }[];
      };
    };
    const error = answer.exceptionHistory.entries[0]?.error;
    expect(error).toMatchObject({
      code: "USER_CODE_THREW",
      fields: { at, uid, subtask: 0, ...origin },
    });
    if (!("position" in origin)) expect(error?.fields).not.toHaveProperty("position");
    for (const { stderr } of [run, submitted]) {
      expect(stderr).toContain(`at: ${at}`);
      expect(stderr).toContain(`uid: ${uid}`);
      expect(stderr).toContain("subtask: 0");
      for (const [name, value] of Object.entries(origin))
        expect(stderr).toContain(`${name}: ${value}`);
      // The whole path, to click on, and the same in both.
      expect(stderr).toContain(join(jobs, at));
      expect(stderr).not.toContain("file://");
    }
  },
);
