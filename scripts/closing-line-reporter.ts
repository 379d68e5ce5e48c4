/**
 * A vitest reporter that says why each test was skipped and ends with the one line that machines read:
 * `N passed, N failed`, with `, N skipped` when there are any.
 *
 * CLR-1  Whatever went wrong counts as failed at least once: a test, a file that does not load, a hook, an unhandled error.
 * CLR-2  A skip without a reason is a failure. A reason is the argument of `context.skip(reason)`, or the rest of a
 *        title after `skipped: `.
 * CLR-3  A run without a test is a failure.
 * CLR-4  With `MILLRACE_TEST_COUNTS` set to a path the counts go there instead of the closing line, and beside it goes
 *        what of each file is known, when it begins and when it ends.
 */
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";
import { type Counts, closingLine, writeCounts, writeProgress } from "./verify/test-counts.ts";

const countsPath = process.env["MILLRACE_TEST_COUNTS"];

export default class ClosingLineReporter implements Reporter {
  onTestModuleQueued({ relativeModuleId: file }: TestModule): void {
    if (countsPath !== undefined) writeProgress(countsPath, { file });
  }
  onTestModuleEnd(module: TestModule): void {
    if (countsPath === undefined) return;
    writeProgress(countsPath, { file: module.relativeModuleId, counts: countModule(module) });
  }
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = countTests(modules, unhandled.length);
    if (countsPath === undefined) process.stdout.write(`${closingLine(counts)}\n`);
    else writeCounts(countsPath, counts);
  }
}

function countTests(modules: readonly TestModule[], unhandled: number): Counts {
  const counts = { passed: 0, failed: unhandled, skipped: 0 };
  for (const module of modules) {
    for (const [name, count] of Object.entries(countModule(module)))
      counts[name as keyof Counts] += count;
    for (const test of module.children.allTests()) tellSkip(test);
  }
  if (counts.passed + counts.failed + counts.skipped === 0) {
    process.stdout.write("no test ran, which counts as failed\n");
    counts.failed = 1;
  }
  if (counts.failed > 0) process.exitCode = 1;
  return counts;
}

function countModule(module: TestModule): Counts {
  const counts = { passed: 0, failed: brokenParts(module), skipped: 0 };
  for (const test of module.children.allTests()) counts[outcomeOf(test)] += 1;
  return counts;
}

/** Files that did not load and suites whose hooks threw: their tests never ran, so no test tells of them. */
function brokenParts(module: TestModule): number {
  const suites = [...module.children.allSuites()].filter(
    (suite) => suite.errors().length > 0,
  ).length;
  return suites + (module.errors().length > 0 ? 1 : 0);
}

function outcomeOf(test: TestCase): keyof Counts {
  const result = test.result();
  if (result.state === "passed" || result.state === "failed") return result.state;
  return hasBrokenParent(test) || reasonOf(test) !== undefined ? "skipped" : "failed";
}

function tellSkip(test: TestCase): void {
  const { state } = test.result();
  if (state === "passed" || state === "failed" || hasBrokenParent(test)) return;
  const reason = reasonOf(test);
  process.stdout.write(
    reason === undefined
      ? `SKIPPED WITHOUT A REASON, which counts as failed: ${titleOf(test)}\n`
      : `SKIPPED: ${titleOf(test)}: ${reason}\n`,
  );
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  const note = result.state === "skipped" ? result.note : undefined;
  return note ?? /skipped: (.+)/.exec(test.fullName)?.[1];
}

function hasBrokenParent(test: TestCase): boolean {
  for (let parent = test.parent; ; parent = parent.parent) {
    if (parent.errors().length > 0) return true;
    if (parent.type === "module") return false;
  }
}

function titleOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}
