/**
 * Everything that must hold before a change lands; what CI runs, and nothing else. How steps run: `verify/run-steps.ts`.
 *
 *   node scripts/verify.ts [step …]     all steps, or those named
 */
import { delimiter, join } from "node:path";
import { root } from "./layers.ts";
import { runSteps, type Step } from "./verify/run-steps.ts";
import { stopSignals } from "./verify/stop-signals.ts";

const node = process.execPath;
const bin = join(root, "node_modules/.bin");
const minuteMs = 60_000;

const checks: readonly Step[] = [
  ["lint", join(bin, "biome"), "check", "--colors=off", "--max-diagnostics=50", "."],
  ["typecheck", node, "scripts/typecheck.ts"],
  ["layers", node, "scripts/check-layers.ts"],
  ["hygiene", node, "scripts/check-hygiene.ts"],
  ["generated", node, "scripts/generate-proto.ts", "--check"],
  ["knip", join(bin, "knip"), "--no-progress", "--no-config-hints"],
];

process.exitCode = await runSteps({
  root,
  checks,
  tests: ["tests", join(bin, "vitest"), "run", "--allowOnly=false"],
  wanted: process.argv.slice(2),
  env: {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
    TURBO_TELEMETRY_DISABLED: "1",
  },
  checkLimitMs: 10 * minuteMs,
  testsLimitMs: 60 * minuteMs,
  settleMs: 5_000,
  ...stopSignals(),
  write: (text) => void process.stdout.write(text),
});
