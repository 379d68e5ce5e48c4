export {
  type BackendOptions,
  HashMapBackend,
  type RestoredState,
  type SegmentRange,
  type StateSnapshot,
} from "./backend.ts";
export { type BlockCompression, readSegment, type TableSchema } from "./segment.ts";
