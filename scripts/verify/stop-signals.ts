/** Turns the signals that end a program into abort signals, and a terminal that has gone too. */
export function stopSignals(): { readonly stop: AbortSignal; readonly hurry: AbortSignal } {
  const stop = new AbortController();
  const hurry = new AbortController();
  let stoppedAt = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      // Who asks twice does not want to wait; what comes at once is the same signal, from the terminal and through npm.
      if (stop.signal.aborted && performance.now() - stoppedAt > 500) hurry.abort();
      if (!stop.signal.aborted) stoppedAt = performance.now();
      stop.abort(signal);
    });
  process.stdout.on("error", () => stop.abort("SIGHUP"));
  return { stop: stop.signal, hurry: hurry.signal };
}
