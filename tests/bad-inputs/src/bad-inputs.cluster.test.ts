/**
 * BAD-1  The exit code tells who can mend it: 2 the caller, 1 anything else.
 * BAD-2  The text has a code, what is wrong, and a fix; no frame of ours.
 * BAD-3  Nothing was made: no file, no process, no listening port.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { graphCases } from "./graph-cases.ts";
import { jobCases } from "./job-cases.ts";
import { type Case, main, type Outcome, prepareWorld, runCase, type World } from "./run-case.ts";
import { streamCases } from "./stream-cases.ts";
import { usageCases } from "./usage-cases.ts";

const cases: Readonly<Record<string, Case>> = {
  ...usageCases,
  ...jobCases,
  ...graphCases,
  ...streamCases,
};
const golden = join(import.meta.dirname, "golden.json");
const update = process.env["MILLRACE_UPDATE"] === "1";
const expected: Record<string, Outcome> = existsSync(golden)
  ? (JSON.parse(readFileSync(golden, "utf8")) as Record<string, Outcome>)
  : {};
const found: Record<string, Outcome> = {};
const frameOfOurs = /<repository>|node_modules|node:internal|INTERNAL_ERROR|\[object Object\]/;

let world: World;
let taken: Server;
let jobManager: ChildProcess;

beforeAll(async () => {
  const root = prepareWorld(realpathSync(mkdtempSync(join(tmpdir(), "millrace-bad-"))));
  taken = await listening();
  const gone = await listening();
  const free = String(portOf(gone));
  await new Promise((resolve) => gone.close(resolve));
  const ready = join(root, "ready.json");
  jobManager = spawn(
    process.execPath,
    [
      main,
      "jobmanager",
      "--rest-port",
      "0",
      "--control-port",
      "0",
      "--store",
      join(root, "store"),
    ].concat("--ready-file", ready),
    { stdio: "ignore" },
  );
  while (!existsSync(ready)) {
    expect(jobManager.exitCode).toBe(null);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rest } = JSON.parse(readFileSync(ready, "utf8")) as { readonly rest: string };
  world = { root, values: { port: String(portOf(taken)), free, rest } };
});

afterAll(async () => {
  taken.close();
  await new Promise((resolve) => {
    jobManager.once("exit", resolve);
    jobManager.kill("SIGTERM");
  });
  rmSync(world.root, { recursive: true, force: true });
  if (!update) return;
  const sorted = Object.keys(cases).flatMap((name) => {
    const outcome = found[name] ?? expected[name];
    return outcome === undefined ? [] : [[name, outcome] as const];
  });
  writeFileSync(golden, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
});

test("there are more than a hundred, and the golden file has no other", () => {
  expect(Object.keys(cases).length).toBeGreaterThan(100);
  if (!update) expect(Object.keys(expected).sort()).toEqual(Object.keys(cases).sort());
});

describe.concurrent("BAD-1..3", () => {
  test.for(Object.entries(cases))("%s", async ([name, given], { expect }) => {
    const { outcome, made, did, alive } = await inTurn(() => runCase(name, given, world));
    found[name] = outcome;
    const text = outcome.stderr.join("\n");
    expect({ made, did, alive }).toEqual({ made: [], did: [], alive: [] });
    expect(outcome.exitCode, text).toBe(given.exit ?? 2);
    expect(outcome.stdout).toEqual([]);
    if (given.args.includes("--json")) {
      const { error } = JSON.parse(text) as { error: Record<string, string> };
      expect(error).not.toHaveProperty("stack");
      for (const name of ["code", "message", "fix"]) expect(error[name]).toMatch(/\S/);
    } else {
      expect(text).toMatch(/^error [A-Z][A-Z_0-9]+: /m);
      expect(text).toMatch(/^ {2}fix: \S/m);
    }
    expect(text).not.toMatch(frameOfOurs);
    for (const word of given.says) expect(text).toContain(word);
    if (!update) expect(outcome).toEqual(expected[name]);
  });
});

/** Two at a time: more would only wait for each other. */
const waiting: (() => void)[] = [];
let running = 0;
async function inTurn<R>(work: () => Promise<R>): Promise<R> {
  if (running === 2) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

function listening(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
