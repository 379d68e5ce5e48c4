/** A run of steps whose tests start a real local cluster in the folder that is given, and then never end. */
import { join } from "node:path";
import { root } from "../layers.ts";
import { runSteps } from "./run-steps.ts";
import { stopSignals } from "./stop-signals.ts";

const [folder = ""] = process.argv.slice(2);
const main = join(root, "apps/cli/src/main.ts");
const up = [main, "local", "up", "--port", "0", "--taskmanagers", "1", "--json", "--dir", folder];

process.exitCode = await runSteps({
  root,
  checks: [],
  tests: ["tests", "sh", "-c", '"$0" "$@" && exec sleep 600', process.execPath, ...up],
  wanted: [],
  env: process.env,
  checkLimitMs: 60_000,
  testsLimitMs: 60_000,
  settleMs: 1_000,
  ...stopSignals(),
  write: (text) => void process.stdout.write(text),
});
