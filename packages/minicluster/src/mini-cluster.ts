/**
 * A JobManager and TaskManagers in one process, on one event loop: the coordinator and the runtime of the daemons, with
 * function calls in place of sockets. What `millrace run`, `node job.ts`, and tests of jobs use.
 *
 * MIN-1  Control messages cross asynchronously and in order, as they would over a stream.
 * MIN-2  Data crosses slots encoded, as it would between processes: no object is ever shared between two slots.
 * MIN-3  Silence is no failure: a TaskManager on this loop is silent only while user code holds the loop, however long that is.
 * MIN-4  Every attempt builds the job anew, as a runner does: what closures keep to themselves does not outlive a failure.
 */
import { type BuiltJob, buildJob, type Job } from "@millrace/api";
import {
  type ErrorInfo,
  errorFromInfo,
  type Logger,
  type Platform,
  silentLogger,
} from "@millrace/base";
import { guardModules, nodePlatform, secretFromEnvironment, zstd } from "@millrace/base/node";
import {
  type Connection,
  Coordinator,
  coordinatorOptions,
  type ExceptionEntry,
  isTerminal,
  type JobState,
} from "@millrace/coordinator";
import { createRingNetwork } from "@millrace/exchange";
import { assertDigest, chainGraph, type JobGraph } from "@millrace/graph";
import { InlineTaskManager } from "@millrace/runtime";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { createPatientPlatform, type PatientPlatform } from "./patient-platform.ts";

export interface MiniClusterOptions {
  readonly taskManagers?: number;
  readonly slotsPerTaskManager?: number;
  readonly store?: BlobStore;
  readonly logger?: Logger;
  /** Raise STATE_NOT_UPDATED when state was changed and not written back. Default true. */
  readonly checkMutations?: boolean;
  /** No time-out counts time in which the process stands still in a debugger. */
  readonly inspect?: boolean;
  readonly faultPoint?: (name: string) => void;
}
export interface RunOptions {
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly parallelism?: number;
  readonly jobId?: string;
  /** After each failure of an attempt: what it was, and when it is tried again; undefined when it is not. */
  readonly onFailure?: (failure: ExceptionEntry, delayMs: number | undefined) => void;
}
export interface RunningJob {
  readonly jobId: string;
  readonly graph: JobGraph;
  readonly warnings: readonly string[];
  readonly state: JobState;
  /** Resolves when the job has FINISHED or was CANCELED; rejects with the root cause when it FAILED. */
  readonly ended: Promise<JobState>;
  cancel(): void;
  requestCheckpoint(): Promise<{ readonly checkpointId: number }>;
}

/** Node's limit. */
const longestTimerMs = 2 ** 31 - 1;

/** How often `ended` looks; the coordinator has no listeners to keep it small. */
const lookMs = 5;

export class MiniCluster {
  readonly coordinator: Coordinator;
  readonly store: BlobStore;
  readonly #platform: Platform;
  readonly #patient: PatientPlatform | undefined;
  readonly #options: MiniClusterOptions;
  readonly #network: ReturnType<typeof createRingNetwork>;
  readonly #builds = new Map<string, () => BuiltJob>();
  readonly #managers = new Map<
    string,
    { readonly manager: InlineTaskManager; readonly connection: Connection; stop: () => void }
  >();
  #addresses = 0;
  #fatal: unknown;

  private constructor(options: MiniClusterOptions) {
    this.#options = options;
    this.#patient = options.inspect === true ? createPatientPlatform(nodePlatform) : undefined;
    this.#platform = this.#patient ?? nodePlatform;
    this.store = options.store ?? memoryBlobStore();
    this.#network = createRingNetwork(this.#platform.timers);
    this.coordinator = new Coordinator({
      platform: this.#platform,
      logger: options.logger ?? silentLogger,
      store: this.store,
      options: {
        ...coordinatorOptions.defaults,
        heartbeatTimeoutMs: Number.MAX_SAFE_INTEGER,
        runnerStartTimeoutMs: longestTimerMs,
      },
      onEnd: (error) => {
        this.#fatal = error;
      },
    });
  }

  static async start(options: MiniClusterOptions = {}): Promise<MiniCluster> {
    const cluster = new MiniCluster(options);
    try {
      await cluster.coordinator.start();
    } catch (error) {
      cluster.#patient?.close();
      throw error;
    }
    for (let i = 1; i <= (options.taskManagers ?? 1); i++) cluster.addTaskManager(`inline-${i}`);
    return cluster;
  }

  addTaskManager(id: string): void {
    const { timers } = this.#platform;
    let alive = true;
    const manager = new InlineTaskManager({
      id,
      slots: this.#options.slotsPerTaskManager ?? 1,
      platform: this.#platform,
      logger: this.#options.logger ?? silentLogger,
      objects: this.store,
      checkMutations: this.#options.checkMutations ?? true,
      compression: zstd,
      openTransport: (attempt) =>
        this.#network.transport(
          { host: "local", port: ++this.#addresses },
          `${attempt.jobId} ${attempt.epoch}.${attempt.attempt}`,
        ),
      loadFunctions: (start) => {
        const built = this.#builds.get(start.bundle)?.();
        if (built !== undefined) assertDigest(built.graph, start.graphDigest);
        return (uid) => built?.functions.get(uid) ?? {};
      },
      secrets: secretFromEnvironment,
      ...(this.#options.faultPoint === undefined ? {} : { faultPoint: this.#options.faultPoint }),
      send: (message) =>
        timers.soon(() => {
          if (alive) connection.message(message);
        }),
    });
    const connection = this.coordinator.connect({
      send: (message) =>
        timers.soon(() => {
          if (alive) manager.receive(message);
        }),
      close: () => {},
    });
    connection.message(manager.registration());
    const interval = setInterval(() => {
      connection.message({
        $case: "heartbeat",
        value: { sequence: 0, runners: [], rssBytes: process.memoryUsage.rss(), cpuLoad: 0 },
      });
    }, coordinatorOptions.defaults.heartbeatIntervalMs);
    interval.unref();
    this.#managers.set(id, {
      manager,
      connection,
      stop: () => {
        alive = false;
        clearInterval(interval);
      },
    });
  }

  /** Ends a TaskManager as a SIGKILL would; jobs on it restart elsewhere. */
  killTaskManager(id: string): void {
    const entry = this.#managers.get(id);
    if (entry === undefined) return;
    this.#managers.delete(id);
    entry.stop();
    entry.manager.kill();
    entry.connection.closed();
  }
  get taskManagers(): readonly string[] {
    return [...this.#managers.keys()];
  }

  /** Builds and starts a job. Rejects with coded errors before anything runs. */
  async submit(job: Job, options: RunOptions = {}): Promise<RunningJob> {
    const build = () =>
      buildJob(job, {
        guard: guardModules,
        parameters: options.parameters ?? {},
        ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
      });
    const built = build();
    await built.validate();
    const graph = chainGraph(built.graph);
    const bundle = `inline/${this.#platform.random.hex(8)}`;
    this.#builds.set(bundle, build);
    const jobId = await this.coordinator.submit({
      jobName: graph.options.name,
      graph,
      bundle,
      build: { parameters: options.parameters ?? {} },
      ...(options.jobId === undefined ? {} : { jobId: options.jobId }),
    });
    const master = this.coordinator.job(jobId);
    let told: ExceptionEntry | undefined;
    const tellFailures = () => {
      const { roots } = master.exceptions;
      const known = told === undefined ? -1 : roots.indexOf(told);
      const fresh = known < 0 ? roots : roots.slice(0, known);
      told = roots[0];
      const delayMs = master.status.state === "FAILED" ? undefined : master.restartDelayMs;
      for (const failure of [...fresh].reverse()) options.onFailure?.(failure, delayMs);
    };
    const ended = new Promise<JobState>((resolve, reject) => {
      const look = setInterval(() => {
        tellFailures();
        if (this.#fatal !== undefined) {
          clearInterval(look);
          reject(this.#fatal);
        } else if (isTerminal(master.status.state)) {
          clearInterval(look);
          if (master.status.state === "FAILED") reject(errorOf(master.rootCause));
          else resolve(master.status.state);
        }
      }, lookMs);
    });
    ended.catch(() => {});
    return {
      jobId,
      graph,
      warnings: built.warnings,
      ended,
      get state() {
        return master.status.state;
      },
      cancel: () => this.coordinator.cancel(jobId),
      requestCheckpoint: () => master.requestCheckpoint(),
    };
  }

  async close(): Promise<void> {
    for (const entry of this.#managers.values()) {
      entry.stop();
      entry.manager.kill();
    }
    this.#managers.clear();
    this.coordinator.close();
    this.#patient?.close();
    await this.store.close();
  }
}

function errorOf(info: ErrorInfo | undefined): Error {
  return info === undefined ? new Error("the job failed") : errorFromInfo(info);
}
