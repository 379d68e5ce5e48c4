/** The cluster as REST answers it. Pure reading. */
import { type Coordinator, isTerminal, type TaskManagerEntry } from "@millrace/coordinator";
import type { ConfigView, Overview, TaskManagerView } from "@millrace/protocol/rest";

export const version = "0.1.0";
/** What tools of Flink expect to find; the level of its REST API that the shapes follow. */
export const flinkVersion = "2.3.0";
/** There is no commit of Flink behind it: they show what this is instead. */
const revision = `millrace ${version}`;

export function overview(coordinator: Coordinator): Overview {
  const states = coordinator.jobs.map((job) => job.status.state);
  const managers = coordinator.taskManagers.all();
  return {
    taskmanagers: managers.length,
    "slots-total": managers.reduce((sum, entry) => sum + entry.slots, 0),
    "slots-available": coordinator.taskManagers.free().length,
    "jobs-running": states.filter((state) => !isTerminal(state)).length,
    "jobs-finished": states.filter((state) => state === "FINISHED").length,
    "jobs-cancelled": states.filter((state) => state === "CANCELED").length,
    "jobs-failed": states.filter((state) => state === "FAILED").length,
    "flink-version": flinkVersion,
    "flink-commit": revision,
    "millrace-version": version,
    epoch: coordinator.epoch,
  };
}

export function config(now: number): ConfigView {
  return {
    "refresh-interval": 3_000,
    "timezone-name": Intl.DateTimeFormat().resolvedOptions().timeZone,
    "timezone-offset": -new Date(now).getTimezoneOffset() * 60_000,
    "flink-version": flinkVersion,
    "flink-revision": revision,
    // Jars can't be uploaded, nor parallelism changed; a history server is another program.
    features: {
      "web-submit": false,
      "web-cancel": true,
      "web-rescale": false,
      "web-history": false,
    },
    "millrace-version": version,
  };
}

export function taskManagerView(
  entry: TaskManagerEntry,
  clock: { now(): number; monotonic(): number },
): TaskManagerView {
  const silentMs = clock.monotonic() - entry.lastHeartbeatAt;
  return {
    id: entry.id,
    path: `${entry.host}/${entry.pid}`,
    dataPort: -1,
    timeSinceLastHeartbeat: Math.round(clock.now() - silentMs),
    slotsNumber: entry.slots,
    freeSlots: entry.slots - entry.taken.size,
    hardware: { cpuCores: entry.cpuCores, physicalMemory: entry.physicalMemoryBytes },
    pid: entry.pid,
    rssBytes: entry.rssBytes,
    cpuLoad: entry.cpuLoad,
    metricsAddress: entry.metricsAddress,
  };
}
