/** The contract's shapes as types. */
import type { Static } from "typebox";
import type * as s from "./schemas.ts";
import type * as base from "./schemas-base.ts";
import type * as checkpoints from "./schemas-checkpoints.ts";
import type * as cluster from "./schemas-cluster.ts";
import type * as vertices from "./schemas-vertices.ts";

export type ErrorAnswer = Static<typeof base.errorSchema>;
export type ExecutionState = Static<typeof base.executionStateSchema>;
export type IoMetrics = Static<typeof base.ioMetrics>;
export type Metrics = Static<typeof base.metricsSchema>;
export type AggregatedMetrics = Static<typeof base.aggregatedMetricsSchema>;

export type JobSummary = Static<typeof s.jobSummarySchema>;
export type TaskCounts = JobSummary["tasks"];
export type JobDetail = Static<typeof s.jobDetailSchema>;
export type VertexSummary = Static<typeof s.vertexSummarySchema>;
export type PlanView = JobDetail["plan"];
export type JobConfigView = Static<typeof s.jobConfigSchema>;
export type ExecutionResult = Static<typeof s.executionResultSchema>;
export type Exceptions = Static<typeof s.exceptionsSchema>;
export type RunBundle = Static<typeof s.runBundleSchema>;
export type Trigger = Static<typeof checkpoints.triggerSchema>;

export type SubtaskView = Static<typeof vertices.subtaskSchema>;
export type VertexDetail = Static<typeof vertices.vertexDetailSchema>;
export type SubtaskTimes = Static<typeof vertices.subtaskTimesSchema>;
export type VertexTaskManagers = Static<typeof vertices.vertexTaskManagersSchema>;
export type Watermarks = Static<typeof vertices.watermarksSchema>;
export type Backpressure = Static<typeof vertices.backpressureSchema>;

export type CheckpointView = Static<typeof checkpoints.checkpointSchema>;
export type CheckpointVertexView = Static<typeof checkpoints.checkpointVertexSchema>;
export type Checkpoints = Static<typeof checkpoints.checkpointsSchema>;
export type CheckpointConfigView = Static<typeof checkpoints.checkpointConfigSchema>;

export type Overview = Static<typeof cluster.overviewSchema>;
export type ConfigView = Static<typeof cluster.configSchema>;
export type TaskManagerView = Static<typeof cluster.taskManagerSchema>;
