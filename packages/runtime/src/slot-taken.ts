/** What a TaskManager answers to a runner for a slot that another one has. */
import { type ErrorInfo, errorInfo } from "@millrace/base";
import type { AttemptMessage } from "@millrace/protocol";
import { fail } from "./fail.ts";

export function slotTaken(slots: readonly number[], holder: AttemptMessage): ErrorInfo {
  return errorInfo(fail("TASK_SLOT_TAKEN", { fields: { slots: slots.join(" "), ...holder } }));
}
