/** Guards around a build function: what differs from run to run throws while it runs. */
import { fail } from "./fail.ts";

type Global = Record<string, unknown> & {
  Date: DateConstructor;
  Math: Math;
  performance?: object;
  crypto?: object;
  process?: object;
};

/** Runs `build` with clock, timers, randomness, network and environment closed; everything is put back, whatever happens. */
export function guarded<R>(build: () => R): R {
  const host = globalThis as unknown as Global;
  const refuse = (what: string) => (): never => {
    throw fail("BUILD_IMPURE", { fields: { called: what } });
  };
  const undo: (() => void)[] = [];
  const replace = (owner: object | undefined, name: string, value: PropertyDescriptor) => {
    if (owner === undefined) return;
    const own = Object.getOwnPropertyDescriptor(owner, name);
    if (own !== undefined && own.configurable !== true) return;
    Object.defineProperty(owner, name, { configurable: true, ...value });
    undo.unshift(() => {
      if (own === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, own);
    });
  };
  const RealDate = host.Date;
  const GuardedDate = new Proxy(RealDate, {
    construct(target, args: readonly unknown[], newTarget) {
      if (args.length === 0) refuse("new Date()")();
      return Reflect.construct(target, args, newTarget) as object;
    },
    apply: refuse("Date()"),
    get: (target, name, receiver) =>
      name === "now" ? refuse("Date.now()") : (Reflect.get(target, name, receiver) as unknown),
  });
  replace(host, "Date", { value: GuardedDate, writable: true });
  replace(host.Math, "random", { value: refuse("Math.random()"), writable: true });
  replace(host.performance, "now", { value: refuse("performance.now()"), writable: true });
  replace(host.crypto, "randomUUID", { value: refuse("crypto.randomUUID()"), writable: true });
  replace(host.crypto, "getRandomValues", {
    value: refuse("crypto.getRandomValues()"),
    writable: true,
  });
  for (const name of ["fetch", "setTimeout", "setInterval", "setImmediate"])
    replace(host, name, { value: refuse(`${name}()`), writable: true });
  replace(host.process, "env", { get: refuse("process.env") });
  try {
    return build();
  } finally {
    for (const restore of undo) restore();
  }
}
