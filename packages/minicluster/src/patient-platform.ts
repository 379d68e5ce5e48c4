/**
 * A platform under a debugger: while the process stands still, its monotonic clock and its timers stand still too. What has been
 * waiting for an answer then waits as long after the stop as it would have waited without: the answer that came meanwhile is read
 * before any time-out is decided.
 *
 * PAT-1  A gap between two looks at the clock counts as standing still when it is longer than any sound event loop's.
 * PAT-2  A timer fires when its delay has passed on this clock, never before it has passed on the real one.
 */
import type { Platform } from "@millrace/base";

const lookEveryMs = 20;
const standsStillMs = 200;
/** Timers of the real clock are due up to this early. */
const roundingMs = 1;

export interface PatientPlatform extends Platform {
  /** Stops looking at the clock. */
  close(): void;
}

export function createPatientPlatform(real: Platform): PatientPlatform {
  let last = real.clock.monotonic();
  let lost = 0;
  const monotonic = () => {
    const now = real.clock.monotonic();
    if (now - last > standsStillMs) lost += now - last;
    last = now;
    return now - lost;
  };
  let stop = () => {};
  const look = () => {
    monotonic();
    stop = real.timers.after(lookEveryMs, look);
  };
  look();
  return {
    clock: { now: () => real.clock.now(), monotonic },
    timers: {
      after(delayMs, fn) {
        const due = monotonic() + delayMs;
        let cancel = () => {};
        const fire = () => {
          const left = due - monotonic();
          if (left < roundingMs) fn();
          else cancel = real.timers.after(left, fire);
        };
        cancel = real.timers.after(delayMs, fire);
        return () => cancel();
      },
      soon: (fn) => real.timers.soon(fn),
    },
    random: real.random,
    close: () => stop(),
  };
}
