/**
 * Which files are tests, and how long one may take. The suffix before `.ts` says what a test needs
 * (docs/README.md lists the classes).
 */
import { defineConfig } from "vitest/config";

const folders = "{packages,apps,examples,tests}/**";
const ignored = ["**/node_modules/**", "**/dist/**", "**/.millrace/**"];

export default defineConfig({
  test: {
    globals: false,
    maxWorkers: 2,
    include: [`${folders}/*.test.ts`, "scripts/**/*.test.ts"],
    exclude: ignored,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 5_000,
  },
});
