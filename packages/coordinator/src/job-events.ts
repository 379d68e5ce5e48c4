/** What can happen to a job, and what TaskManagers say about one. */
import { type ErrorInfo, errorInfo } from "@millrace/base";
import type { AttemptMessage, Up } from "@millrace/protocol";

export type JobEvent =
  | { readonly kind: "schedule" }
  | { readonly kind: "slots-timeout" }
  | {
      readonly kind: "runner-ready";
      readonly taskManager: string;
      readonly message: Up<"runnerReady">;
    }
  | {
      readonly kind: "runner-exited";
      readonly taskManager: string;
      readonly message: Up<"runnerExited">;
    }
  | {
      readonly kind: "older-runner-exited";
      readonly taskManager: string;
      readonly attempt: AttemptMessage;
    }
  | { readonly kind: "task-manager-lost"; readonly taskManager: string }
  | {
      readonly kind: "task-manager-registered";
      readonly taskManager: string;
      /** Those of the job that are alive there. */
      readonly runners: readonly AttemptMessage[];
    }
  | { readonly kind: "task-state"; readonly message: Up<"taskStateChanged"> }
  | { readonly kind: "end-of-data"; readonly message: Up<"endOfDataReached"> }
  | { readonly kind: "acknowledged"; readonly message: Up<"checkpointAcknowledged"> }
  | { readonly kind: "declined"; readonly message: Up<"checkpointDeclined"> }
  | { readonly kind: "commit-finished"; readonly message: Up<"commitFinished"> }
  | { readonly kind: "deploy"; readonly attempt: number }
  | { readonly kind: "start-timeout"; readonly attempt: number }
  | { readonly kind: "stop-timeout"; readonly attempt: number }
  | { readonly kind: "checkpoint-tick" }
  | {
      readonly kind: "checkpoint-request";
      readonly full: boolean;
      readonly done: (
        result: { readonly checkpointId: number } | { readonly error: unknown },
      ) => void;
    }
  | { readonly kind: "cancel" };

export type JobUp = {
  [C in
    | "runnerReady"
    | "runnerExited"
    | "taskStateChanged"
    | "endOfDataReached"
    | "checkpointAcknowledged"
    | "checkpointDeclined"
    | "commitFinished"]: { readonly $case: C; readonly value: Up<C> };
}[keyof Record<
  | "runnerReady"
  | "runnerExited"
  | "taskStateChanged"
  | "endOfDataReached"
  | "checkpointAcknowledged"
  | "checkpointDeclined"
  | "commitFinished",
  0
>];

/** An error as a message carries it. */
export function parseError(json: string): ErrorInfo {
  try {
    const error = JSON.parse(json) as Partial<ErrorInfo> | null;
    if (typeof error?.code === "string" && typeof error.message === "string")
      return { ...errorInfo(new Error(error.message)), ...error };
  } catch {}
  return errorInfo(new Error(json));
}

export function eventOf(taskManager: string, up: JobUp): JobEvent {
  switch (up.$case) {
    case "runnerReady":
      return { kind: "runner-ready", taskManager, message: up.value };
    case "runnerExited":
      return { kind: "runner-exited", taskManager, message: up.value };
    case "taskStateChanged":
      return { kind: "task-state", message: up.value };
    case "endOfDataReached":
      return { kind: "end-of-data", message: up.value };
    case "checkpointAcknowledged":
      return { kind: "acknowledged", message: up.value };
    case "checkpointDeclined":
      return { kind: "declined", message: up.value };
    case "commitFinished":
      return { kind: "commit-finished", message: up.value };
  }
}
