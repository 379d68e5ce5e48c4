/** What the argument parser says, as coded errors. */
import type { CommanderError } from "commander";
import { fail } from "./fail.ts";

/** The coded error of what was refused; undefined for help and version, which are no errors. */
export function usageError(error: CommanderError): Error | undefined {
  // "error: unknown option '--runing'\n(Did you mean --running?)"
  const [first = "", second = ""] = error.message.split("\n");
  const quoted = /'([^']*)'/.exec(first)?.[1] ?? "";
  const nearest = /\(Did you mean (?:one of )?(.*)\?\)/.exec(second)?.[1] ?? "";
  switch (error.code) {
    case "commander.unknownCommand":
      return fail("CLI_UNKNOWN_COMMAND", { fields: { command: quoted, nearest } });
    case "commander.unknownOption":
      return fail("CLI_UNKNOWN_OPTION", { fields: { option: quoted, nearest } });
    case "commander.missingArgument":
    case "commander.missingMandatoryOptionValue":
    case "commander.optionMissingArgument":
      return fail("CLI_MISSING_ARGUMENT", { fields: { argument: quoted } });
    case "commander.excessArguments":
      return fail("CLI_UNEXPECTED_ARGUMENT", {
        fields: { reason: first.replace(/^error: /, "") },
      });
    case "commander.help":
    case "commander.helpDisplayed":
    case "commander.version":
      return undefined;
    default:
      return fail("CLI_BAD_ARGUMENT", { fields: { reason: first.replace(/^error: /, "") } });
  }
}
