export { faultyStore, type StoreFaults } from "./faulty-store.ts";
export { type GroupSnapshot, OperatorGroup, type Step } from "./operator-group.ts";
export {
  type HarnessEvent,
  type HarnessOptions,
  OperatorHarness,
  type OperatorSpec,
} from "./operator-harness.ts";
export { SimulatedProcess } from "./simulated-process.ts";
export {
  type SourceRecord,
  SourceRun,
  type SourceRunOptions,
  type SourceSnapshot,
} from "./source-run.ts";
export { type VerifyCase, type VerifyReport, verifyOperator } from "./verify-operator.ts";
export { type SinkWorld, type VerifySinkReport, verifySink } from "./verify-sink.ts";
export {
  type VerifySourceOptions,
  type VerifySourceReport,
  verifySource,
} from "./verify-source.ts";
export { createRandom, createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";
