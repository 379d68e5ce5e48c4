import { errorsOf } from "@millrace/base";
import { codes } from "./codes.ts";

export const fail = errorsOf(codes);

/** What a user's function gave for state to keep. Throws `OPERATOR_NOTHING_RETURNED`: state would read as empty. */
export function returned(
  setup: { readonly task: { readonly uid: string } },
  name: string,
  value: unknown,
): unknown {
  if (value !== undefined) return value;
  throw fail("OPERATOR_NOTHING_RETURNED", { fields: { uid: setup.task.uid, function: name } });
}
