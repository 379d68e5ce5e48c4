/** What a command is doing, for a person who waits at a terminal: one line on standard error that is rewritten. */
import { formatDuration } from "@millrace/base";

export interface Progress {
  /** What begins now. */
  step(text: string): void;
  /** The line goes; what is printed next stands alone. */
  end(): void;
}

/** The part of a terminal that it needs. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const silent: Progress = { step() {}, end() {} };
/** How often a line that tells the time is rewritten. */
const tickMs = 1_000;

/** Says nothing when nobody looks, and with `--json`. */
export function createProgress(
  options: { readonly json?: boolean },
  terminal: Terminal = process.stderr,
): Progress {
  if (terminal.isTTY !== true || options.json === true) return silent;
  let isShown = false;
  return {
    step(text) {
      isShown = true;
      // A wrapped line could not be rewritten.
      terminal.write(`\r\x1b[K${`${text} …`.slice(0, (terminal.columns || 80) - 1)}`);
    },
    end() {
      if (isShown) terminal.write("\r\x1b[K");
      isShown = false;
    },
  };
}

/** The part of a stream that `tellTime` listens to. */
export interface Written {
  write: (chunk: string | Uint8Array, ...rest: never[]) => boolean;
}

/**
 * Tells how long something has been going on, until it is disposed of. What is written meanwhile to `out` stands alone: the line goes
 * before it, and waits while a line of `out` is not finished.
 */
export function tellTime(progress: Progress, what: string, out: Written): Disposable {
  if (progress === silent) return { [Symbol.dispose]() {} };
  const began = performance.now();
  let isMidLine = false;
  const { write } = out;
  const timer = setInterval(() => {
    if (!isMidLine) progress.step(`${what} for ${formatDuration(performance.now() - began)}`);
  }, tickMs);
  timer.unref();
  progress.step(what);
  out.write = (chunk, ...rest) => {
    progress.end();
    isMidLine = !(typeof chunk === "string" ? chunk.endsWith("\n") : chunk.at(-1) === 10);
    return write.call(out, chunk, ...rest);
  };
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      out.write = write;
      progress.end();
    },
  };
}
