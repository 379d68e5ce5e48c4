export { type GroupSnapshot, OperatorGroup, type Step } from "./operator-group.ts";
export {
  type HarnessEvent,
  type HarnessOptions,
  type HarnessSnapshot,
  OperatorHarness,
  type OperatorSpec,
} from "./operator-harness.ts";
export { type VerifyCase, type VerifyReport, verifyOperator } from "./verify-operator.ts";
export { createRandom, createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";
