/**
 * While a job is built, what Node's modules offer besides the globals: randomness by name from `node:crypto`, timers from `node:timers`.
 * Names that were imported (`import { randomUUID } from "node:crypto"`) follow, and so do those of `node:process`, whose object the build
 * itself has closed by then.
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";

const closed = [
  [crypto, "crypto", ["randomUUID", "randomBytes", "randomInt", "randomFill", "randomFillSync"]],
  [timers, "timers", ["setTimeout", "setInterval", "setImmediate"]],
] as const;

/** `refuse(what)` is a function that throws. Answers how to open everything again. */
export function guardModules(refuse: (what: string) => () => never): () => void {
  const undo = closed.flatMap(([module, prefix, names]) =>
    names.map((name) => {
      const owner = module as unknown as Record<string, unknown>;
      const own = Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor;
      Object.defineProperty(owner, name, {
        configurable: true,
        enumerable: true,
        writable: true,
        value: refuse(`${prefix}.${name}()`),
      });
      return () => Object.defineProperty(owner, name, own);
    }),
  );
  syncBuiltinESMExports();
  return () => {
    for (const restore of undo) restore();
    syncBuiltinESMExports();
  };
}
