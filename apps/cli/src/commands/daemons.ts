/** The daemons as commands: read options, call start, map signals. */
import { renameSync, writeFileSync } from "node:fs";
import { faultPoints } from "@millrace/base/node";
import { coordinatorOptions } from "@millrace/coordinator";
import { faultPointsStore, startJobManager } from "@millrace/jobmanager";
import { openStore, probeConditionalCreate } from "@millrace/storage";
import { startTaskManager } from "@millrace/taskmanager";
import { createLogger } from "@millrace/telemetry";
import { assertCanListen, assertFolderOf, assertLocation, bad } from "../arguments.ts";

export async function jobManager(options: {
  readonly host: string;
  readonly restPort: number;
  readonly controlPort: number;
  readonly store: string;
  readonly define?: readonly string[];
  readonly readyFile?: string;
}): Promise<void> {
  const resolved = coordinatorOptions.resolve(definitions(options.define ?? []));
  assertFolderOf("ready-file", options.readyFile);
  await assertLocation("store", options.store);
  await assertCanListen(options.host, options.restPort, options.controlPort);
  const logger = createLogger({ level: process.env["MILLRACE_LOG_LEVEL"] ?? "info" });
  const daemon = await startJobManager({
    host: options.host,
    restPort: options.restPort,
    controlPort: options.controlPort,
    store: faultPointsStore(
      await openStore(options.store),
      faultPoints(process.env["MILLRACE_FAULT_POINTS"]),
    ),
    probe: probeConditionalCreate,
    options: resolved,
    logger,
    // A leader that has been replaced, or that has lost its store, must not linger.
    onEnd: (error) => {
      logger.error("jobmanager ends", { error: String(error) });
      process.exit(1);
    },
  });
  ready(options.readyFile, {
    rest: daemon.restAddress,
    control: daemon.controlAddress,
    pid: process.pid,
  });
  logger.info("jobmanager listens", { rest: daemon.restAddress, control: daemon.controlAddress });
  onSignals(() => daemon.close());
}

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

function definitions(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw bad("define", text, "key=value");
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** Whole or not at all: somebody waits for it. */
function ready(file: string | undefined, content: unknown): void {
  if (file === undefined) return;
  writeFileSync(`${file}.new`, JSON.stringify(content));
  renameSync(`${file}.new`, file);
}

function onSignals(close: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void close().finally(() => process.exit(0));
    });
  }
}
