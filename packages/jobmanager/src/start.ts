/**
 * A JobManager: the coordinator behind gRPC and REST. Starting order: store, the doors, then the epoch: a taken port must not depose a
 * leader that works. It owns the store it is given.
 *
 * STA-1  A start that fails leaves nothing open: no door, no timer, not the store.
 */
import type { Logger, Platform } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import { Coordinator, type CoordinatorOptions, coordinatorOptions } from "@millrace/coordinator";
import type { BlobStore } from "@millrace/spi";
import { startBundleSweeps } from "./bundle-sweeps.ts";
import { Bundles } from "./bundles.ts";
import { startControlServer } from "./control-server.ts";
import { createJobManagerMetrics } from "./metrics.ts";
import { startRestServer } from "./rest-server.ts";

export interface JobManagerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly restPort: number;
  readonly controlPort: number;
  readonly store: BlobStore;
  /** Refuses a store without conditional create; run before anything is written. */
  readonly probe: (store: BlobStore, random: Platform["random"]) => Promise<void>;
  readonly options: CoordinatorOptions;
  readonly logger: Logger;
  /** The coordinator has ended by itself (another leader, a broken store): the process should end. */
  readonly onEnd: (error: unknown) => void;
}
export interface JobManager {
  readonly restAddress: string;
  /** "host:port" for TaskManagers. */
  readonly controlAddress: string;
  readonly coordinator: Coordinator;
  close(): Promise<void>;
}

export async function startJobManager(options: JobManagerOptions): Promise<JobManager> {
  const { store } = options;
  /** What is open, in the order of opening. */
  const open: (() => unknown)[] = [() => store.close()];
  const close = async () => {
    const failed: unknown[] = [];
    for (let end = open.pop(); end !== undefined; end = open.pop()) {
      try {
        await end();
      } catch (error) {
        failed.push(error);
      }
    }
    if (failed.length > 0) throw failed[0];
  };
  try {
    return { ...(await start(options, open)), close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

async function start(
  { host, controlPort, restPort, store, probe, options, logger, onEnd }: JobManagerOptions,
  open: (() => unknown)[],
): Promise<Omit<JobManager, "close">> {
  const platform = nodePlatform;
  await probe(store, platform.random);
  const coordinator = new Coordinator({ platform, logger, store, options, onEnd });
  const control = await startControlServer({
    host,
    port: controlPort,
    logger,
    connect: (session) => coordinator.connect(session),
  });
  open.push(() => control.close());
  const metrics = createJobManagerMetrics(coordinator, host);
  const bundles = new Bundles(store, platform.clock);
  const rest = await startRestServer(
    {
      coordinator,
      bundles,
      platform,
      logger,
      config: configOf(options),
      environment: { version: process.version, arch: process.arch, options: process.execArgv },
      metricsText: () => metrics.text(),
    },
    { host, port: restPort },
  );
  // Streams of TaskManagers end with the coordinator: before the doors, which wait for them.
  open.push(
    () => rest.close(),
    () => coordinator.close(),
  );
  await coordinator.start();
  const keepMs = options.endedJobsKeepMs;
  open.push(startBundleSweeps({ bundles, coordinator, platform, logger, keepMs }));
  return {
    restAddress: rest.address,
    controlAddress: `${host}:${control.port}`,
    coordinator,
  };
}

/** Options by their keys, as they could be given. */
function configOf(options: CoordinatorOptions): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(coordinatorOptions.table).map(([name, spec]) => {
      const value = String(options[name as keyof CoordinatorOptions]);
      return [spec.key, spec.type === "duration" ? `${value}ms` : value];
    }),
  );
}
