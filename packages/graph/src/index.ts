export { chainGraph } from "./chain.ts";
export { decodeJobGraph } from "./decode-graph.ts";
export { expandDeployment } from "./deployment.ts";
export { assertDigest } from "./digest.ts";
export { explainText, flinkPlan, type PlanJson, planJson, slotsNeeded } from "./explain.ts";
export { commonType, inputTypeOf } from "./input-type.ts";
export type {
  ChainedOperator,
  CheckpointOptions,
  Endpoint,
  ErrorPolicy,
  InputDeployment,
  JobEdge,
  JobGraph,
  JobOptions,
  JobVertex,
  Json,
  LogicalEdge,
  LogicalGraph,
  LogicalNode,
  OutputDeployment,
  Partitioning,
  RestartOptions,
  SinkKind,
  TaskDeployment,
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
export { validateGraph } from "./validate.ts";
