/** What the simulated jobs must put out, told without the engine. */
import type { Oracle } from "./world.ts";

/** Each key gets exactly these values, in this order. */
export function inOrder(expected: ReadonlyMap<string, readonly string[]>): Oracle {
  const seen = new Map<string, number>();
  return {
    next({ key, value }) {
      const at = seen.get(String(key)) ?? 0;
      seen.set(String(key), at + 1);
      const wanted = expected.get(String(key))?.[at] ?? "nothing";
      return value === wanted
        ? undefined
        : `key ${key}: value ${at + 1} is ${value}, expected ${wanted}`;
    },
    missing() {
      for (const [key, values] of expected)
        if ((seen.get(key) ?? 0) !== values.length)
          return `key ${key}: ${seen.get(key) ?? 0} values of ${values.length}`;
      return undefined;
    },
  };
}
