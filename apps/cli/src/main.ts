#!/usr/bin/env node
/** The `millrace` command: client verbs and daemons. Reads arguments, calls the packages, maps errors to exit codes. */
import { isMillraceError } from "@millrace/base";
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";
import { reportError } from "./report.ts";

process.setSourceMapsEnabled(true);
try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    reportError(error, process.argv.includes("--json"));
    // 2: the caller can mend it; 1: something else went wrong.
    process.exitCode = isMillraceError(error) && error.domain === "user" ? 2 : 1;
  }
}
