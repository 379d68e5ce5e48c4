export type { CheckpointAck, CheckpointRecord } from "./checkpoint-history.ts";
export { type Connection, Coordinator, type CoordinatorContext } from "./coordinator.ts";
export type { ExceptionEntry } from "./exceptions.ts";
export type { TaskState, TaskStatus } from "./execution.ts";
export type { JobMaster } from "./job-master.ts";
export { isTerminal, type JobState } from "./job-status.ts";
export { type CoordinatorOptions, coordinatorOptions } from "./options.ts";
export type { BuildArguments, Submission } from "./submission.ts";
export type { TaskManagerEntry, TaskManagerSession } from "./task-managers.ts";
