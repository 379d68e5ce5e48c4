/** The command that deploys a slot, read. */
import type { TaskDeployment } from "@millrace/graph";
import type { Down } from "@millrace/protocol";
import type { SlotDeployment, SlotHost } from "@millrace/runtime";
import { fail } from "./fail.ts";

export interface ReadDeployment extends SlotDeployment {
  readonly options: {
    readonly committedFloor: number;
    readonly job: SlotHost["job"]["options"];
  };
}

/** Throws `RUNNER_BAD_COMMAND`. */
export function readDeployment({
  slot,
  tasks,
  restore,
  options,
}: Down<"deploySlot">): ReadDeployment {
  try {
    return {
      tasks: arrayOf(JSON.parse(tasks)),
      restore: JSON.parse(restore) as SlotDeployment["restore"],
      options: JSON.parse(options) as ReadDeployment["options"],
    };
  } catch (error) {
    throw fail("RUNNER_BAD_COMMAND", { fields: { command: "deploySlot", slot }, cause: error });
  }
}

function arrayOf(value: unknown): readonly TaskDeployment[] {
  if (!Array.isArray(value)) throw new TypeError("tasks are no list");
  return value as readonly TaskDeployment[];
}
