/** The messages that start, deploy and stop the runners of an attempt. */
import type { RestoreAssignment } from "@millrace/checkpoint";
import { expandDeployment } from "@millrace/graph";
import type { AttemptMessage, Down } from "@millrace/protocol";
import type { Execution } from "./execution.ts";
import type { Submission } from "./submission.ts";
import type { TaskManagers } from "./task-managers.ts";

export function startRunners(
  taskManagers: TaskManagers,
  execution: Execution,
  attempt: AttemptMessage,
  submission: Submission,
): void {
  for (const taskManager of execution.taskManagers()) {
    taskManagers.send(taskManager, "startRunner", {
      attempt,
      slots: execution.plan.slots
        .filter((slot) => slot.taskManager === taskManager)
        .map(({ slot }) => slot),
      bundle: submission.bundle,
      parameters: JSON.stringify(submission.build),
      graphDigest: execution.graph.digest,
      jobName: submission.jobName,
    });
  }
}
export function stopRunners(
  taskManagers: TaskManagers,
  execution: Execution,
  stop: Omit<Down<"stopRunner">, "attempt"> & { readonly attempt: AttemptMessage },
): void {
  for (const taskManager of execution.runners) taskManagers.send(taskManager, "stopRunner", stop);
}

export interface SlotMessage {
  readonly taskManager: string;
  readonly message: Down<"deploySlot">;
}

/** One message per slot; undefined while a runner is not ready. */
export function deploySlotMessages(options: {
  readonly execution: Execution;
  readonly attempt: AttemptMessage;
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
