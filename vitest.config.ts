/**
 * Which files are tests, and how each class of them runs. The suffix says what a test needs; `docs/README.md` lists
 * the classes. Classes run one after the other, so that tests of real processes have the machine to themselves.
 */
import { defineConfig } from "vitest/config";

const folders = "{packages,apps,examples,tests,scripts,benchmarks}/**";
const ignored = ["**/node_modules/**", "**/dist/**", "**/.millrace/**"];
const processClasses = ["cluster", "packed", "kafka", "s3", "pg"];
const slowClasses = ["sim", "types"];
const other = [...processClasses, ...slowClasses, "memory"];
const files = (classes: readonly string[]): string[] =>
  classes.map((name) => `${folders}/*.${name}.test.ts`);

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/closing-line-reporter.ts"],
    allowOnly: process.env["CI"] === undefined,
    projects: [
      {
        test: {
          name: "pure",
          include: [`${folders}/*.test.ts`],
          exclude: [...ignored, ...files(other)],
          testTimeout: 10_000,
          hookTimeout: 10_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "slow",
          include: files(slowClasses),
          exclude: ignored,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "memory",
          include: files(["memory"]),
          exclude: ignored,
          execArgv: ["--expose-gc"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "processes",
          include: files(processClasses),
          exclude: ignored,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
