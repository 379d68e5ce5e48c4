/** The real clock, timers and randomness, for shells and mains. Everything pure gets them from there. */
import { randomBytes } from "node:crypto";
import type { Platform } from "../platform.ts";

/** Longest delay that Node's timers keep: a longer one would fire at once. */
const maxDelayMs = 2 ** 31 - 1;

export const nodePlatform: Platform = {
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  timers: {
    after(delayMs, fn) {
      const timer = setTimeout(fn, Math.min(delayMs, maxDelayMs));
      return () => clearTimeout(timer);
    },
    soon: (fn) => void setImmediate(fn),
  },
  random: { next: () => Math.random(), hex: (bytes) => randomBytes(bytes).toString("hex") },
};
export { faultPoints } from "./fault-points.ts";
export { guardModules } from "./guard-modules.ts";
export { secretFromEnvironment } from "./secrets.ts";
export { zstd } from "./zstd.ts";
