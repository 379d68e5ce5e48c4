/**
 * Everything that must hold before a change lands; what CI runs, and nothing else.
 *
 *   node scripts/verify.ts [step …]     all steps, or those named
 *
 * VER-1  Every step runs, even after one has failed, and the last line is `N passed, N failed[, N skipped]`, where each
 *        step but the tests counts as one.
 * VER-2  The exit code is 0 exactly when nothing failed.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Counts, closingLine } from "./closing-line-reporter.ts";
import { root } from "./layers.ts";

type Step = readonly [name: string, command: string, ...args: string[]];

const node = process.execPath;
const bin = join(root, "node_modules/.bin");
const cache = join(root, "node_modules/.cache/millrace");
const countsFile = join(cache, `test-counts-${process.pid}.json`);

const checks: readonly Step[] = [
  ["lint", join(bin, "biome"), "check", "--colors=off", "--max-diagnostics=50", "."],
  ["typecheck", node, "scripts/typecheck.ts"],
  ["layers", node, "scripts/check-layers.ts"],
  ["hygiene", node, "scripts/check-hygiene.ts"],
  ["generated", node, "scripts/generate-proto.ts", "--check"],
  ["knip", join(bin, "knip"), "--no-progress", "--no-config-hints"],
];

const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
const unknown = wanted.filter(
  (name) => name !== "tests" && !checks.some((check) => check[0] === name),
);
if (unknown.length > 0) {
  process.stderr.write(
    `no step ${unknown.join(", ")}; steps: ${checks.map((check) => check[0]).join(", ")}, tests\n`,
  );
  process.exit(2);
}

let total: Counts = { passed: 0, failed: 0, skipped: 0 };
const failedSteps: string[] = [];
for (const check of checks) if (isWanted(check[0])) add(check[0], await runCheck(check));
if (isWanted("tests")) add("tests", await runTests());
if (failedSteps.length > 0) process.stdout.write(`failed steps: ${failedSteps.join(", ")}\n`);
process.stdout.write(`${closingLine(total)}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function runCheck([name, command, ...args]: Step): Promise<Counts> {
  const started = performance.now();
  const { code, text } = await run(command, args, "pipe");
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code === 0) process.stdout.write(`ok      ${name} (${seconds} s)\n`);
  else process.stdout.write(`FAILED  ${name} (${seconds} s)\n${text.replace(/^/gm, "        ")}\n`);
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

async function runTests(): Promise<Counts> {
  mkdirSync(cache, { recursive: true });
  rmSync(countsFile, { force: true });
  const { code } = await run(join(bin, "vitest"), ["run", "--allowOnly=false"], "inherit");
  const counts: Counts = existsSync(countsFile)
    ? (JSON.parse(readFileSync(countsFile, "utf8")) as Counts)
    : { passed: 0, failed: 0, skipped: 0 };
  rmSync(countsFile, { force: true });
  const silentFailure = code !== 0 && counts.failed === 0;
  if (silentFailure) process.stdout.write(`FAILED  tests: vitest ended with exit code ${code}\n`);
  return silentFailure ? { ...counts, failed: 1 } : counts;
}

function run(
  command: string,
  args: readonly string[],
  output: "pipe" | "inherit",
): Promise<{ code: number; text: string }> {
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
    MILLRACE_TEST_COUNTS: countsFile,
    TURBO_TELEMETRY_DISABLED: "1",
  };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", output, output] });
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, text }));
  });
}

function add(name: string, counts: Counts): void {
  if (counts.failed > 0) failedSteps.push(name);
  total = {
    passed: total.passed + counts.passed,
    failed: total.failed + counts.failed,
    skipped: total.skipped + counts.skipped,
  };
}
