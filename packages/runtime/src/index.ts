export { applyCommand, type SlotCommand, upMessageOf } from "./bridge.ts";
export type {
  CodeOwner,
  JobContext,
  SlotDeployment,
  SlotEvent,
  SlotHost,
  SnapshotObjects,
} from "./host.ts";
export { InlineTaskManager, type InlineTaskManagerOptions } from "./inline-task-manager.ts";
export { collectMetrics } from "./metrics.ts";
export { Slot } from "./slot.ts";
export { slotTaken } from "./slot-taken.ts";
