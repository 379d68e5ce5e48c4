/**
 * Whose user code runs where no stack tells it: after an `await`, in a timer, in a hook that is called beside the records.
 *
 * OWN-1  What runs within `attributed`, and everything that is begun there, is its owner's until another call says otherwise.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { CodeOwner } from "@millrace/runtime";

const owners = new AsyncLocalStorage<CodeOwner | undefined>();

export function ownerOfCode(): CodeOwner | undefined {
  return owners.getStore();
}
export function attributed<T>(owner: CodeOwner | undefined, run: () => T): T {
  // Most slices are nobody's already.
  return owners.getStore() === owner ? run() : owners.run(owner, run);
}
