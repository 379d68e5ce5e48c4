/**
 * What a user's function may use belongs to its call.
 *
 * CSC-1  A function that answers a promise fails its call: after its first await it would read and write under another record's key.
 * CSC-2  `collect`, `output`, `emit` and state handles throw when they are used outside a call.
 */
import { fail } from "./fail.ts";

export class CallScope {
  readonly #uid: string;
  #open = false;

  constructor(uid: string) {
    this.#uid = uid;
  }
  /** Throws `OPERATOR_ASYNC_FUNCTION`, and whatever the call throws. */
  run<A, B>(call: (a: A, b: B) => unknown, a: A, b: B): void {
    this.#open = true;
    try {
      const answer = call(a, b);
      assertSynchronous(answer);
    } finally {
      this.#open = false;
    }
  }
  /** Throws `OPERATOR_OUTSIDE_CALL`. */
  assertOpen(used: string): void {
    if (!this.#open) throw fail("OPERATOR_OUTSIDE_CALL", { fields: { uid: this.#uid, used } });
  }
}

/** Throws `OPERATOR_ASYNC_FUNCTION` for a promise; what becomes of it is nobody's business any more. */
export function assertSynchronous(answer: unknown): void {
  if (typeof answer !== "object" || answer === null) return;
  const { then } = answer as { readonly then?: unknown };
  if (typeof then !== "function") return;
  Promise.resolve(answer).catch(() => {});
  throw fail("OPERATOR_ASYNC_FUNCTION");
}

/** What a user's function gave for state to keep. Throws `OPERATOR_NOTHING_RETURNED`: state would read as empty. */
export function returned(
  setup: { readonly task: { readonly uid: string } },
  name: string,
  value: unknown,
): unknown {
  assertSynchronous(value);
  if (value !== undefined) return value;
  throw fail("OPERATOR_NOTHING_RETURNED", { fields: { uid: setup.task.uid, function: name } });
}
