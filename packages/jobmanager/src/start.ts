/** A JobManager: the coordinator behind gRPC and REST. Starting order: store, epoch, then the doors. */
import type { Logger, Platform } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import { Coordinator, type CoordinatorOptions, coordinatorOptions } from "@millrace/coordinator";
import type { BlobStore } from "@millrace/spi";
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
  const platform = nodePlatform;
  const { logger, store } = options;
  await options.probe(store, platform.random);
  const coordinator = new Coordinator({
    platform,
    logger,
    store,
    options: options.options,
    onEnd: options.onEnd,
  });
  // The ports first: a taken port must not depose a leader that works.
  const control = await startControlServer({
    host: options.host,
    port: options.controlPort,
    logger,
    connect: (session) => coordinator.connect(session),
  });
  try {
    const metrics = createJobManagerMetrics(coordinator, options.host);
    const rest = await startRestServer(
      {
        coordinator,
        bundles: new Bundles(store),
        platform,
        logger,
        config: configOf(options.options),
        environment: { version: process.version, arch: process.arch, options: process.execArgv },
        metricsText: () => metrics.text(),
      },
      { host: options.host, port: options.restPort },
    );
    await coordinator.start();
    return {
      restAddress: rest.address,
      controlAddress: `${options.host}:${control.port}`,
      coordinator,
      close: async () => {
        coordinator.close();
        await Promise.all([rest.close(), control.close()]);
        await store.close();
      },
    };
  } catch (error) {
    coordinator.close();
    await control.close();
    throw error;
  }
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
