/** The control protocol. That of REST, with its schemas, is `@millrace/protocol/rest`: TaskManagers and runners do without. */
export {
  connectMethodPath,
  type Down,
  type DownCase,
  type DownMessage,
  decodeDown,
  decodeUp,
  encodeDown,
  encodeUp,
  type Up,
  type UpCase,
  type UpMessage,
} from "./control.ts";
export type { AttemptRef as AttemptMessage, SlotAddress } from "./generated/control.ts";
export type { MetricSample } from "./metrics.ts";
