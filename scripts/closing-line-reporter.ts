/**
 * A vitest reporter that says why each test was skipped and ends with the one line that machines read:
 * `N passed, N failed`, with `, N skipped` when there are any.
 *
 * CLR-1  Whatever went wrong counts as failed at least once: a test, a file that does not load, a hook, an unhandled error.
 * CLR-2  A skip without a reason is a failure. A reason is the argument of `context.skip(reason)`, or the rest of a
 *        title after `skipped: `.
 * CLR-3  A run without a test is a failure.
 *
 * With `MILLRACE_TEST_COUNTS` set to a path the counts go there instead of the closing line.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = countTests(modules, unhandled.length);
    const path = process.env["MILLRACE_TEST_COUNTS"];
    if (path === undefined) process.stdout.write(`${closingLine(counts)}\n`);
    else writeFileSync(path, JSON.stringify(counts));
  }
}

function countTests(modules: readonly TestModule[], unhandled: number): Counts {
  const counts = { passed: 0, failed: unhandled, skipped: 0 };
  for (const module of modules) {
    counts.failed += brokenParts(module);
    for (const test of module.children.allTests()) {
      const outcome = outcomeOf(test);
      if (outcome === "skipped without a reason") {
        process.stdout.write(
          `SKIPPED WITHOUT A REASON, which counts as failed: ${titleOf(test)}\n`,
        );
        counts.failed += 1;
      } else counts[outcome] += 1;
    }
  }
  if (counts.passed + counts.failed + counts.skipped === 0) {
    process.stdout.write("no test ran, which counts as failed\n");
    counts.failed = 1;
  }
  if (counts.failed > 0) process.exitCode = 1;
  return counts;
}

/** Files that did not load and suites whose hooks threw: their tests never ran, so no test tells of them. */
function brokenParts(module: TestModule): number {
  const suites = [...module.children.allSuites()].filter(
    (suite) => suite.errors().length > 0,
  ).length;
  return suites + (module.errors().length > 0 ? 1 : 0);
}

function outcomeOf(test: TestCase): keyof Counts | "skipped without a reason" {
  const result = test.result();
  if (result.state === "passed" || result.state === "failed") return result.state;
  if (hasBrokenParent(test)) return "skipped";
  const reason =
    (result.state === "skipped" ? result.note : undefined) ??
    /skipped: (.+)/.exec(test.fullName)?.[1];
  if (reason === undefined) return "skipped without a reason";
  process.stdout.write(`SKIPPED: ${titleOf(test)}: ${reason}\n`);
  return "skipped";
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
