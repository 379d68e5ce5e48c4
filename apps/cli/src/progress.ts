/** What a command is doing, for a person who waits at a terminal: one line on standard error that is rewritten. */

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
