/** From a plan of slots and a restore to the messages that deploy an attempt. Pure. */
import type { RestoreAssignment } from "@millrace/checkpoint";
import { expandDeployment } from "@millrace/graph";
import type { Down } from "@millrace/protocol";
import type { Execution } from "./execution.ts";

export interface SlotMessage {
  readonly taskManager: string;
  readonly message: Down<"deploySlot">;
}

/** One message per slot; undefined while a runner is not ready. */
export function deploySlotMessages(options: {
  readonly execution: Execution;
  readonly attempt: { readonly jobId: string; readonly epoch: number; readonly attempt: number };
  readonly restore: Readonly<Record<string, RestoreAssignment>>;
  readonly committedFloor: number;
}): readonly SlotMessage[] | undefined {
  const { execution } = options;
  const endpointOf = execution.endpoints();
  if (endpointOf === undefined) return undefined;
  const deployments = expandDeployment(execution.graph, endpointOf);
  const byTask = new Map(
    deployments.map((deployment) => [`${deployment.vertex.id}#${deployment.subtask}`, deployment]),
  );
  const messages: SlotMessage[] = [];
  for (const { slot, tasks } of execution.bySlot().values()) {
    const ids = tasks.map((task) => `${task.vertex}#${task.subtask}`);
    const restore: Record<string, RestoreAssignment> = {};
    for (const id of ids) {
      const assignment = options.restore[id];
      if (assignment !== undefined) restore[id] = assignment;
    }
    messages.push({
      taskManager: slot.taskManager,
      message: {
        attempt: options.attempt,
        slot: slot.slot,
        tasks: JSON.stringify(ids.map((id) => byTask.get(id))),
        restore: JSON.stringify(restore),
        options: JSON.stringify({
          committedFloor: options.committedFloor,
          job: execution.graph.options,
        }),
      },
    });
  }
  return messages;
}
