/**
 * The control protocol's messages as the two daemons use them: unions by `$case`, bytes at the edge.
 *
 * PRO-1  A receiver drops messages of a lower epoch, and job messages of a lower attempt.
 * PRO-2  Structured payloads that only the ends understand (graphs, snapshots, errors) travel as JSON text in one field.
 */
import {
  JobManagerMessage as JobManagerEnvelope,
  TaskManagerMessage as TaskManagerEnvelope,
} from "./generated/control.ts";

/** From a TaskManager to the JobManager. */
export type UpMessage = NonNullable<TaskManagerEnvelope["message"]>;
/** From the JobManager to a TaskManager. */
export type DownMessage = NonNullable<JobManagerEnvelope["message"]>;
export type UpCase = UpMessage["$case"];
export type DownCase = DownMessage["$case"];
export type Up<C extends UpCase> = Extract<UpMessage, { $case: C }>["value"];
export type Down<C extends DownCase> = Extract<DownMessage, { $case: C }>["value"];

/** gRPC path of the one streaming method. */
export const connectMethodPath = "/millrace.v1.JobManagerControl/Connect";

export function encodeUp(message: UpMessage): Uint8Array {
  return TaskManagerEnvelope.encode({ message }).finish();
}
export function encodeDown(message: DownMessage): Uint8Array {
  return JobManagerEnvelope.encode({ message }).finish();
}
/** Undefined when the message is of a kind that this version does not know. Throws on malformed bytes. */
export function decodeUp(bytes: Uint8Array): UpMessage | undefined {
  return TaskManagerEnvelope.decode(bytes).message;
}
export function decodeDown(bytes: Uint8Array): DownMessage | undefined {
  return JobManagerEnvelope.decode(bytes).message;
}
