/**
 * `console` of user code in a slot: everything that it would print goes to the log, with the stack of the call, which tells whose it is.
 *
 * CON-1  What is printed is what Node would print, groups, tables and counters too: values of every kind, never `{}` for an error.
 * CON-2  No call throws, whatever it is given, and no line is longer than `maxCharacters`.
 */
import { Console } from "node:console";
import { Writable } from "node:stream";

export type ConsoleLevel = "debug" | "info" | "warn" | "error";

const maxCharacters = 64 * 1024;
/** Deep enough for a user's helpers between the chain and the call. */
const stackFrames = 64;
const levels: Readonly<Record<string, ConsoleLevel>> = {
  debug: "debug",
  warn: "warn",
  error: "error",
  trace: "error",
  assert: "error",
};

/** Takes over the console of this thread. `stack`: a line "url:line:column" per frame, the nearest first. */
export function captureConsole(
  write: (level: ConsoleLevel, text: string, stack: string) => void,
  target: Console = console,
): void {
  let level: ConsoleLevel = "info";
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      const text = String(chunk).replace(/\n$/, "");
      const cut =
        text.length <= maxCharacters
          ? text
          : `${text.slice(0, maxCharacters)}… ${text.length - maxCharacters} characters more`;
      write(level, cut, stackOfCall());
      done();
    },
  });
  const inner = new Console({ stdout: stream, stderr: stream, colorMode: false });
  for (const [name, method] of Object.entries(inner)) {
    if (typeof method !== "function" || name === "Console") continue;
    Object.defineProperty(target, name, {
      configurable: true,
      enumerable: true,
      writable: true,
      value: (...values: readonly unknown[]) => {
        level = levels[name] ?? "info";
        try {
          method(...values);
        } catch (error) {
          write(level, `a value that can't be shown: ${nameOf(error)}`, stackOfCall());
        }
      },
    });
  }
}

/** Without source maps: the chain's generated lines are what is looked for. */
function stackOfCall(): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = stackFrames;
    Error.prepareStackTrace = (_, sites) =>
      sites
        .map(
          (site) =>
            `${site.getScriptNameOrSourceURL() ?? ""}:${site.getLineNumber()}:${site.getColumnNumber()}`,
        )
        .join("\n");
    return String(new Error().stack);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined)
      delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
    else Error.prepareStackTrace = prepareStackTrace;
  }
}
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
