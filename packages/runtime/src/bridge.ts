/** Between the control protocol and a slot: what a command means to it, and what its events are on the wire. Pure. */
import type { AttemptMessage, DownMessage, UpMessage } from "@millrace/protocol";
import type { BarrierInfo } from "@millrace/spi";
import type { SlotEvent } from "./host.ts";
import type { Slot } from "./slot.ts";

export function upMessageOf(attempt: AttemptMessage, event: SlotEvent): UpMessage {
  const errorText =
    "error" in event && event.error !== undefined ? JSON.stringify(event.error) : "";
  switch (event.kind) {
    case "state":
      return {
        $case: "taskStateChanged",
        value: {
          attempt,
          vertex: event.vertex,
          subtask: event.subtask,
          state: event.state,
          error: errorText,
        },
      };
    case "end-of-data":
      return {
        $case: "endOfDataReached",
        value: { attempt, vertex: event.vertex, subtask: event.subtask },
      };
    case "acknowledged":
      return {
        $case: "checkpointAcknowledged",
        value: {
          attempt,
          checkpointId: event.checkpointId,
          vertex: event.snapshot.vertex,
          subtask: event.snapshot.subtask,
          snapshot: JSON.stringify(event.snapshot),
        },
      };
    case "declined":
      return {
        $case: "checkpointDeclined",
        value: {
          attempt,
          checkpointId: event.checkpointId,
          vertex: event.vertex,
          subtask: event.subtask,
          error: errorText,
        },
      };
    case "committed":
      return {
        $case: "commitFinished",
        value: {
          attempt,
          checkpointId: event.checkpointId,
          vertex: event.vertex,
          error: errorText,
        },
      };
  }
}

/** A command to the running slots of an attempt. Deploying and stopping are not among them: they make and end slots. */
export type SlotCommand = Extract<
  DownMessage,
  { $case: "triggerCheckpoint" | "checkpointCompleted" | "checkpointAborted" | "commit" }
>;

export function applyCommand(slot: Slot, command: SlotCommand): void {
  switch (command.$case) {
    case "triggerCheckpoint":
      return slot.trigger(barrierOf(command.value));
    case "checkpointCompleted":
      return slot.checkpointCompleted(command.value.checkpointId);
    case "checkpointAborted":
      return slot.checkpointAborted(command.value.checkpointId);
    case "commit":
      return slot.commit(command.value.checkpointId, command.value.sweep);
  }
}

function barrierOf(value: {
  readonly checkpointId: number;
  readonly base: number;
  readonly timestamp: number;
  readonly kind: string;
}): BarrierInfo {
  return {
    checkpointId: value.checkpointId,
    base: value.base === 0 ? undefined : value.base,
    timestamp: value.timestamp,
    kind: value.kind as BarrierInfo["kind"],
  };
}
