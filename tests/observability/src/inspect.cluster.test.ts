/**
 * INS-1  A breakpoint in a function of the job's own file, set by URL and line, stops there with the local variables of the record.
 * INS-2  However long it stands still, nothing that the job waits for times out: it goes on to the output it would have had.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Debugger } from "./debugger.ts";

const main = join(import.meta.dirname, "../../../apps/cli/src/main.ts");
const job = join(import.meta.dirname, "../jobs/inspected.ts");
const standStillMs = 10_000;
const count = 400;

const dir = mkdtempSync(join(tmpdir(), "millrace-inspect-"));
const children: ChildProcess[] = [];
let service: Server;
let serviceUrl = "";

beforeAll(async () => {
  // Slower than records come, so that calls are under way whenever the debugger stops.
  service = createServer(({ url }, response) => {
    setTimeout(() => response.end(String(Number(url?.slice(1)) ** 2)), 150);
  });
  service.keepAliveTimeout = 60_000;
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  serviceUrl = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  service.closeAllConnections();
  service.close();
  rmSync(dir, { recursive: true, force: true });
});

test.concurrent("INS-1, INS-2: standing still in a map function", { timeout: 60_000 }, async () => {
  expect(
    await debugged("map", {
      at: "return { n, at, key, square, right: root === n }",
      when: "n === 150",
      look: "({ n, at, root })",
    }),
  ).toEqual({
    seen: { n: 150, at: 1_500, root: 150 },
    code: 0,
    state: "FINISHED",
    rows: expected(),
  });
});

test.concurrent("INS-1, INS-2: standing still in a window function", {
  timeout: 60_000,
}, async () => {
  const [, , third] = expected().filter(({ start }) => start === 1_000);
  expect(
    await debugged("window", {
      at: "const { start } = ctx.window",
      when: "ctx.key === 2 && ctx.window.start === 1000",
      look: "({ key: ctx.key, squares, right })",
    }),
  ).toEqual({
    seen: { key: 2, squares: third?.squares, right: 25 },
    code: 0,
    state: "FINISHED",
    rows: expected(),
  });
});

/** Runs the job under a debugger that stands still for a while at one line, and lets it go on. */
async function debugged(
  name: string,
  stop: { readonly at: string; readonly when: string; readonly look: string },
) {
  const output = join(dir, name);
  const child = spawn(
    process.execPath,
    [
      main,
      "run",
      "--inspect=127.0.0.1:0",
      "--no-check",
      "--json",
      job,
      ...["--set", `output=${output}`, "--set", `service=${serviceUrl}`, "--set", `count=${count}`],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  children.push(child);
  let out = "";
  let errors = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  const address = new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (text) => {
      errors += text;
      const found = /Debugger listening on (ws:\S+)/.exec(errors)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`exit ${code} before anything: ${errors}`)));
  });
  const exit = once(child, "exit");
  const debugging = await Debugger.attach(await address);
  const url = pathToFileURL(job).href;
  const line = lineOf(stop.at);
  await debugging.breakAt(url, line, stop.when);
  await debugging.run();
  const ended = exit.then(([code]) => {
    throw new Error(`exit ${code} and never at the breakpoint: ${errors}${out}`);
  });
  const paused = await Promise.race([debugging.paused(), ended]);
  ended.catch(() => {});
  expect({ url: paused.url, line: paused.line }).toEqual({ url, line });
  const seen = await paused.evaluate(stop.look);
  await new Promise((resolve) => setTimeout(resolve, standStillMs));
  // Still there, and nothing has moved.
  expect(await paused.evaluate(stop.look)).toEqual(seen);
  await debugging.resume();
  debugging.detach();
  const [code] = await exit;
  if (code !== 0) throw new Error(`exit ${code}: ${errors}`);
  const { state } = JSON.parse(out) as { state: string };
  return { seen, code, state, rows: rowsOf(output) };
}

interface Row {
  readonly key: number;
  readonly start: number;
  readonly squares: number;
  readonly right: number;
}
function expected(): readonly Row[] {
  const rows = new Map<string, { -readonly [name in keyof Row]: Row[name] }>();
  for (let n = 0; n < count; n++) {
    const [key, start] = [n % 4, Math.floor(n / 100) * 1_000];
    const row = rows.get(`${key} ${start}`) ?? { key, start, squares: 0, right: 0 };
    row.squares += n * n;
    row.right += 1;
    rows.set(`${key} ${start}`, row);
  }
  return sorted([...rows.values()]);
}
function rowsOf(folder: string): readonly Row[] {
  return sorted(
    readdirSync(folder)
      .filter((name) => name.startsWith("part-"))
      .flatMap((name) => readFileSync(join(folder, name), "utf8").trim().split("\n"))
      .map((line) => JSON.parse(line) as Row),
  );
}
function sorted(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => a.start - b.start || a.key - b.key);
}
function lineOf(text: string): number {
  return (
    readFileSync(job, "utf8")
      .split("\n")
      .findIndex((line) => line.includes(text)) + 1
  );
}
