/** `millrace taskmanager`: reads options, calls start, maps signals. Loads nothing of a JobManager. */
import { startTaskManager } from "@millrace/taskmanager";
import { createLogger } from "@millrace/telemetry";
import { assertCanListen, assertFolderOf, assertLocation } from "../arguments.ts";
import { onSignals, ready } from "../daemon-process.ts";

export async function taskManager(options: {
  readonly jobmanager: string;
  readonly store: string;
  readonly slots: number;
  readonly host: string;
  readonly id?: string;
  readonly workDir: string;
  readonly logDir: string;
  readonly runnerMemory?: number;
  readonly metricsPort: number;
  readonly readyFile?: string;
}): Promise<void> {
  assertFolderOf("ready-file", options.readyFile);
  await assertLocation("store", options.store);
  if (options.metricsPort !== 0) await assertCanListen(options.host, options.metricsPort);
  const logger = createLogger({ level: process.env["MILLRACE_LOG_LEVEL"] ?? "info" });
  const daemon = await startTaskManager({
    jobManagers: [options.jobmanager],
    store: options.store,
    slots: options.slots,
    host: options.host,
    workDir: options.workDir,
    logDir: options.logDir,
    metricsPort: options.metricsPort,
    logger,
    ...(options.runnerMemory === undefined ? {} : { runnerMemoryBytes: options.runnerMemory }),
    ...(options.id === undefined ? {} : { id: options.id }),
  });
  ready(options.readyFile, { id: daemon.id, metrics: daemon.metricsAddress, pid: process.pid });
  logger.info("taskmanager started", { id: daemon.id, metrics: daemon.metricsAddress });
  onSignals(() => daemon.close());
}
