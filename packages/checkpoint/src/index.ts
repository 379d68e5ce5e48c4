export { type Aligner, type AlignerDecision, createAligner } from "./aligner.ts";
export { decodeEntry, decodeManifest, decodeSnapshot, encodeManifest } from "./codec.ts";
export { readAhead, readDense } from "./dense.ts";
export { isEpochCurrent, winEpoch } from "./epochs.ts";
export {
  type ClaimOptions,
  claimJob,
  JobLog,
  type NewEntry,
  readJobLog,
} from "./job-log.ts";
export type {
  CompletedCheckpoint,
  ListMode,
  ListSnapshot,
  LogEntry,
  LogSummary,
  Manifest,
  ManifestVertex,
  OperatorSnapshot,
  RestoreAssignment,
  RestoredOperator,
  SegmentRef,
  SubtaskSnapshot,
  TableSchema,
} from "./model.ts";
export {
  checkpointPrefix,
  endedName,
  manifestName,
  parseCheckpointObject,
  parseLogSlot,
  snapshotName,
} from "./object-names.ts";
export { createOwn } from "./own-object.ts";
export { PendingCheckpoint, type PendingOptions, referencedObjects } from "./pending-checkpoint.ts";
export { obtainPermit, obtainSweepPermit } from "./permit.ts";
export { commitRestarts, createRestartStrategy, type RestartStrategy } from "./restart.ts";
export { planRestore, type RestoreRow } from "./restore.ts";
export {
  closedView,
  type Deletion,
  decideDeletions,
  type RetentionView,
  retainedOf,
  retainsAfter,
} from "./retention.ts";
export { retried } from "./retried.ts";
export { sha256 } from "./sha256.ts";
export { loadLists, storeLists } from "./stored-lists.ts";
export { decideTrigger, type TriggerDecision, type TriggerState } from "./trigger.ts";
