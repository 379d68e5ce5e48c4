/**
 * Runs checks and tests one after the other and adds up what came of them.
 *
 * VER-1  Every step runs, even after one has failed, and the last line is `N passed, N failed[, N skipped]`, where each
 *        step but the tests counts as one.
 * VER-2  The exit code is 0 exactly when nothing failed, 2 for a step that does not exist, 128 and the signal's number
 *        after a signal.
 * VER-3  Tests that end without their counts have failed, whatever their exit code.
 * VER-4  No step runs for ever: after its limit it is ended and has failed; of the tests, what had ended by then counts,
 *        and the files that had not are named.
 * VER-5  Whatever is left of the processes that the tests started is ended after them, and is a failure; a signal ends
 *        all that any step started, and the next run what one that was killed has left.
 */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { type Counts, closingLine, readCounts, readProgress } from "./test-counts.ts";
import { runVariable, TestRun } from "./test-run.ts";

export type Step = readonly [name: string, command: string, ...args: string[]];

export interface VerifyOptions {
  readonly root: string;
  readonly checks: readonly Step[];
  /** Writes its counts where MILLRACE_TEST_COUNTS says. */
  readonly tests: Step;
  /** Names of steps; all when empty. */
  readonly wanted: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly checkLimitMs: number;
  readonly testsLimitMs: number;
  /** How long what a step has started may take to end by itself after it. */
  readonly settleMs: number;
  /** Its reason is the name of the signal that came. */
  readonly stop: AbortSignal;
  /** After it, what is being ended gets no grace. */
  readonly hurry?: AbortSignal;
  readonly write: (text: string) => void;
}

interface Outcome {
  readonly code: number;
  readonly text: string;
  readonly isOverdue: boolean;
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };
const aFailure: Counts = { ...none, failed: 1 };

/** Answers with the exit code. */
export async function runSteps(options: VerifyOptions): Promise<number> {
  const { checks, tests, wanted, stop, write, root } = options;
  const steps = [...checks, tests];
  const unknown = wanted.filter((name) => !steps.some((step) => step[0] === name));
  if (unknown.length > 0) {
    write(`no step ${unknown.join(", ")}; steps: ${steps.map((step) => step[0]).join(", ")}\n`);
    return 2;
  }
  const run = new TestRun(root, options.hurry);
  const abandoned = await run.endAbandoned();
  if (abandoned.length > 0)
    write(`ended ${abandoned.length} process(es) of a run that was killed\n`);

  let total = none;
  const failed: string[] = [];
  for (const step of steps) {
    if (stop.aborted) break;
    const [name] = step;
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const counts = sum(
      await (step === tests ? runTests(options, run) : runCheck(options, run, step)),
      step === tests && !stop.aborted ? await endLeftovers(options, run) : none,
    );
    if (counts.failed > 0) failed.push(name);
    total = sum(total, counts);
  }
  if (stop.aborted) return interrupted(options, run);
  if (failed.length > 0) write(`failed steps: ${failed.join(", ")}\n`);
  write(`${closingLine(total)}\n`);
  return total.failed > 0 ? 1 : 0;
}

/** VER-5: the step that was running has been ended already, and what it left is ended here. */
async function interrupted({ stop, write }: VerifyOptions, run: TestRun): Promise<number> {
  await run.end();
  write(`\n${stop.reason}: every process that was started has been ended\n`);
  return 128 + (constants.signals[stop.reason as NodeJS.Signals] ?? 0);
}

async function runCheck(options: VerifyOptions, run: TestRun, step: Step): Promise<Counts> {
  const [name] = step;
  const started = performance.now();
  const { code, text, isOverdue } = await runStep({
    ...{ options, run, step, output: "pipe", limitMs: options.checkLimitMs },
    env: {},
  });
  if (options.stop.aborted) return none;
  const seconds = `(${((performance.now() - started) / 1_000).toFixed(1)} s)`;
  if (code === 0) {
    options.write(`ok      ${name} ${seconds}\n`);
    return { ...none, passed: 1 };
  }
  const ending = isOverdue ? `${text}\nended: it took longer than its limit` : text;
  options.write(`FAILED  ${name} ${seconds}\n${ending.replace(/^/gm, "        ")}\n`);
  return aFailure;
}

async function runTests(options: VerifyOptions, run: TestRun): Promise<Counts> {
  const { root, tests, testsLimitMs, stop, write } = options;
  const cache = join(root, "node_modules/.cache/millrace");
  const countsFile = join(cache, `test-counts-${process.pid}.json`);
  mkdirSync(cache, { recursive: true });
  try {
    const { code, isOverdue } = await runStep({
      ...{ options, run, step: tests, output: "inherit", limitMs: testsLimitMs },
      env: { MILLRACE_TEST_COUNTS: countsFile },
    });
    if (stop.aborted) return none;
    const counts = isOverdue ? undefined : readCounts(countsFile);
    if (counts !== undefined && (code === 0 || counts.failed > 0)) return counts;
    const why = isOverdue
      ? `ended after ${testsLimitMs / 60_000} minutes`
      : `vitest ended with exit code ${code}${counts === undefined ? " and no counts" : ""}`;
    write(`FAILED  tests: ${why}\n`);
    if (counts !== undefined) return sum(counts, aFailure);
    const progress = readProgress(countsFile);
    for (const file of progress.unfinished) write(`        had not finished: ${file}\n`);
    return sum(progress.counts, aFailure);
  } finally {
    for (const suffix of ["", ".progress"]) rmSync(`${countsFile}${suffix}`, { force: true });
  }
}

async function endLeftovers(options: VerifyOptions, run: TestRun): Promise<Counts> {
  const left = await run.leftovers(options.settleMs);
  if (left.length === 0) return none;
  await run.end();
  const lines = left.map(({ pid, command }) => `        ${pid} ${command.slice(0, 160)}\n`);
  options.write(
    `FAILED  tests: left ${left.length} process(es) running, now ended\n${lines.join("")}`,
  );
  return aFailure;
}

/** Ends early, with everything that it started, when the run is stopped and at the limit (VER-4, VER-5). */
async function runStep(given: {
  readonly options: VerifyOptions;
  readonly run: TestRun;
  readonly step: Step;
  readonly output: "pipe" | "inherit";
  readonly limitMs: number;
  readonly env: Readonly<Record<string, string>>;
}): Promise<Outcome> {
  const { options, run, output } = given;
  const [, command, ...args] = given.step;
  const env = { ...options.env, ...given.env, [runVariable]: run.name };
  const child = spawn(command, args, { cwd: options.root, env, stdio: ["ignore", output, output] });
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  let isOverdue = false;
  let ending: Promise<unknown> = Promise.resolve();
  const cut = (): void => void (ending = run.end());
  const timer = setTimeout(() => {
    isOverdue = true;
    cut();
  }, given.limitMs);
  options.stop.addEventListener("abort", cut);
  try {
    const code = await new Promise<number>((resolve) => {
      child.on("error", (error) => {
        text += error.message;
        resolve(127);
      });
      child.on("close", (exit) => resolve(exit ?? 1));
    });
    await ending;
    return { code: isOverdue ? 124 : code, text, isOverdue };
  } finally {
    clearTimeout(timer);
    options.stop.removeEventListener("abort", cut);
  }
}

function sum(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}
