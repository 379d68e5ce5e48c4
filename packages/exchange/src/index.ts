export {
  decodeBarrier,
  decodeIdle,
  decodeWatermark,
  encodeBarrier,
  encodeIdle,
  encodeWatermark,
} from "./events.ts";
export {
  createLocalNetwork,
  type LocalNetwork,
  type LocalNetworkHooks,
} from "./local-transport.ts";
export { type Assigned, type Partitioner, ResultPartition } from "./result-partition.ts";
export { createRingNetwork } from "./ring/ring-network.ts";
export { Subpartition } from "./subpartition.ts";
export {
  type ChannelId,
  type Frame,
  FrameKind,
  type InboundChannel,
  type OutboundChannel,
  type Transport,
} from "./transport.ts";
