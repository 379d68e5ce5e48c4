/** Signals that end a command: Ctrl-C, and what a supervisor sends. As other programs do it answers 128 + the signal's number. */
import { fail } from "./fail.ts";

export type EndingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";
const numbers: Readonly<Record<EndingSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The error that says so; `note` is what holds now. */
export function interrupted(signal: EndingSignal, note: string): Error {
  return fail("CLI_INTERRUPTED", { fields: { signal, note } });
}

/** 130 for Ctrl-C. */
export function interruptedExitCode(signal: unknown): number {
  return 128 + (numbers[signal as EndingSignal] ?? numbers.SIGINT);
}

/** Until it is disposed of, a signal aborts with `interrupted` as the reason, and a second one changes nothing: tidying up is bounded. */
export function onInterrupt(note: string): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const abort = (signal: EndingSignal) => controller.abort(interrupted(signal, note));
  const names = Object.keys(numbers) as EndingSignal[];
  for (const name of names) process.on(name, abort);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of names) process.off(name, abort);
    },
  };
}
