/** The cluster in the REST contract: JobManager and TaskManagers. */
import Type from "typebox";
import { flag, number, text, whole } from "./schemas-base.ts";

export const overviewSchema = Type.Object({
  taskmanagers: whole,
  "slots-total": whole,
  "slots-available": whole,
  "jobs-running": whole,
  "jobs-finished": whole,
  "jobs-cancelled": whole,
  "jobs-failed": whole,
  "flink-version": text,
  "flink-commit": text,
  "millrace-version": text,
  epoch: whole,
});
export const configSchema = Type.Object({
  "refresh-interval": whole,
  "timezone-name": text,
  "timezone-offset": whole,
  "flink-version": text,
  "flink-revision": text,
  features: Type.Object({
    "web-submit": flag,
    "web-cancel": flag,
    "web-rescale": flag,
    "web-history": flag,
  }),
  "millrace-version": text,
});
/** Options of the JobManager as they hold. */
export const clusterConfigSchema = Type.Array(Type.Object({ key: text, value: text }));
/** Flink's names for a process of another kind: `version` is Node's, `options` are Node's. */
export const environmentSchema = Type.Object({
  jvm: Type.Object({ version: text, arch: text, options: Type.Array(text) }),
  classpath: Type.Array(text),
});

export const taskManagerSchema = Type.Object({
  id: text,
  path: text,
  /** Runners listen, each slot for itself: there is no one port of a TaskManager. */
  dataPort: whole,
  /** Despite its name the time of the last heartbeat, ms since the epoch: so Flink fills it, and so its UI shows it. */
  timeSinceLastHeartbeat: whole,
  slotsNumber: whole,
  freeSlots: whole,
  hardware: Type.Object({ cpuCores: whole, physicalMemory: whole }),
  pid: whole,
  rssBytes: whole,
  cpuLoad: number,
  metricsAddress: text,
});
export const taskManagersSchema = Type.Object({ taskmanagers: Type.Array(taskManagerSchema) });
