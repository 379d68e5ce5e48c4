/** What both daemons owe to whoever started them: a file that says they are ready, and an end in order. */
import { renameSync, writeFileSync } from "node:fs";

/** Whole or not at all: somebody waits for it. */
export function ready(file: string | undefined, content: unknown): void {
  if (file === undefined) return;
  writeFileSync(`${file}.new`, JSON.stringify(content));
  renameSync(`${file}.new`, file);
}

export function onSignals(close: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void close().finally(() => process.exit(0));
    });
  }
}
