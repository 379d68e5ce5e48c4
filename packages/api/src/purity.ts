/**
 * Guards around a build function: what differs from run to run throws while it runs.
 *
 * PUR-1  Closed are clock, timers, randomness, network and environment of the globals; a host closes what its modules offer besides
 *        (`GuardHost`). A date is made from a given time only, whatever its constructor is called by.
 * PUR-2  Everything is put back, whatever happens.
 */
import { fail } from "./fail.ts";

/** Closes what this host offers besides the globals, with functions made by `refuse`; answers how to open it again. */
export type GuardHost = (refuse: (what: string) => () => never) => () => void;

type Global = Record<string, unknown> & {
  Date: DateConstructor;
  Math: Math;
  Intl: { readonly DateTimeFormat: { readonly prototype: object } };
  performance?: object;
  crypto?: object;
  process?: object;
};

export function guarded<R>(build: () => R, guardHost: GuardHost | undefined): R {
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
  replace(RealDate.prototype, "constructor", { value: GuardedDate, writable: true });
  replace(host.Intl.DateTimeFormat.prototype, "format", {
    get: refuseNow(host.Intl.DateTimeFormat.prototype, refuse("Intl.DateTimeFormat().format()")),
  });
  replace(host.Math, "random", { value: refuse("Math.random()"), writable: true });
  replace(host.performance, "now", { value: refuse("performance.now()"), writable: true });
  replace(host.performance, "timeOrigin", { get: refuse("performance.timeOrigin") });
  replace(host.crypto, "randomUUID", { value: refuse("crypto.randomUUID()"), writable: true });
  replace(host.crypto, "getRandomValues", {
    value: refuse("crypto.getRandomValues()"),
    writable: true,
  });
  for (const name of ["fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask"])
    replace(host, name, { value: refuse(`${name}()`), writable: true });
  const hrtime = Object.assign(refuse("process.hrtime()"), {
    bigint: refuse("process.hrtime.bigint()"),
  });
  replace(host.process, "hrtime", { value: hrtime, writable: true });
  replace(host.process, "uptime", { value: refuse("process.uptime()"), writable: true });
  // An object, not a getter: who has imported it by name holds an object too.
  replace(host.process, "env", { value: closedObject(refuse("process.env")), writable: true });
  let open = () => {};
  try {
    open = guardHost?.(refuse) ?? open;
    return build();
  } finally {
    for (const restore of undo) restore();
    open();
  }
}

/** `format` of a formatter is made by a getter; without a date it formats the current time. */
function refuseNow(prototype: object, refuse: () => never): (this: unknown) => unknown {
  const get = Object.getOwnPropertyDescriptor(prototype, "format")?.get;
  return function (this: unknown) {
    const format = get?.call(this) as (date: unknown) => string;
    return (date: unknown) => (date === undefined ? refuse() : format(date));
  };
}

function closedObject(refuse: () => never): object {
  return new Proxy(
    {},
    { get: refuse, has: refuse, ownKeys: refuse, set: refuse, getOwnPropertyDescriptor: refuse },
  );
}
