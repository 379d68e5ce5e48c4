/** `millrace jobmanager`: reads options, calls start, maps signals. */
import { faultPoints } from "@millrace/base/node";
import { coordinatorOptions } from "@millrace/coordinator";
import { faultPointsStore, startJobManager } from "@millrace/jobmanager";
import { openStore, probeConditionalCreate } from "@millrace/storage";
import { createLogger } from "@millrace/telemetry";
import { assertCanListen, assertFolderOf, assertLocation, bad } from "../arguments.ts";
import { onSignals, ready } from "../daemon-process.ts";

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

function definitions(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw bad("define", text, "key=value");
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
