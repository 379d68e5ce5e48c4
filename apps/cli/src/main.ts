#!/usr/bin/env node
/** The `millrace` command: client verbs and daemons. Reads arguments, calls the packages, maps errors to exit codes. */
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";
import { exitCodeOf, reportError } from "./report.ts";

process.setSourceMapsEnabled(true);
try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    reportError(error, process.argv.includes("--json"));
    process.exitCode = exitCodeOf(error);
  }
}
