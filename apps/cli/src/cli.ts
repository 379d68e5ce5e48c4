/** The `millrace` command: client verbs and daemons. Reads arguments, calls the packages, maps errors to exit codes. */
import { CommanderError } from "commander";
import { reserveOutput } from "./print.ts";
import { createProgram } from "./program.ts";
import { exitCodeOf, reportError } from "./report.ts";
import { usageError } from "./usage-error.ts";

process.setSourceMapsEnabled(true);
// Whoever reads the output may stop early (`| head -1`): end as other programs do, without a word. 128 + SIGPIPE.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 141 : 1);
  });
const json = process.argv.includes("--json");
if (json) reserveOutput();
try {
  await createProgram().parseAsync(process.argv);
} catch (thrown) {
  const error = thrown instanceof CommanderError ? usageError(thrown) : thrown;
  if (error === undefined) process.exitCode = (thrown as CommanderError).exitCode === 0 ? 0 : 2;
  else {
    reportError(error, json);
    // A command that has failed ends, whatever is still open: somebody waits for a daemon that did not start.
    const code = exitCodeOf(error);
    process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
  }
}
