export {
  type BackendOptions,
  HashMapBackend,
  type RestoredState,
  type SegmentRange,
  type StateSnapshot,
} from "./backend.ts";
export {
  type BuiltSegment,
  buildSegment,
  inlineSegmentBuilder,
  joinSegments,
  type SegmentBuilder,
  type SegmentTask,
} from "./build-segment.ts";
export type { TableSchema } from "./capture.ts";
export { type BlockCompression, codecsOf, decodeRow, openSegment, rowsOf } from "./segment.ts";
