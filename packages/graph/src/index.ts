export { chainGraph } from "./chain.ts";
export { decodeJobGraph } from "./decode-graph.ts";
export { expandDeployment } from "./deployment.ts";
export { assertDigest } from "./digest.ts";
export { explainText, flinkPlan, type PlanJson, planJson, slotsNeeded } from "./explain.ts";
export { commonType, inputTypeOf } from "./input-type.ts";
export {
  type ChainedOperator,
  type CheckpointOptions,
  type Endpoint,
  type ErrorPolicy,
  type InputDeployment,
  type JobEdge,
  type JobGraph,
  type JobOptions,
  type JobVertex,
  type Json,
  type LogicalEdge,
  type LogicalGraph,
  type LogicalNode,
  maxRetained,
  type OutputDeployment,
  type Partitioning,
  type RestartOptions,
  type SinkKind,
  type TaskDeployment,
} from "./model.ts";
export type {
  AsyncConfig,
  ColumnAggregate,
  OperatorConfigs,
  OperatorKind,
  StateConfig,
  StateConfigs,
  WatermarkConfig,
  WindowConfig,
  WindowFunctionConfig,
} from "./operator-configs.ts";
export { plainOptions } from "./plain-options.ts";
export { validateGraph } from "./validate.ts";
