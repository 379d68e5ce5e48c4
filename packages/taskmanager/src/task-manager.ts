/**
 * The TaskManager: offers slots, starts and supervises runners, passes messages on. It runs no user code, so that it answers while
 * user code loops or leaks.
 *
 * TMG-1  Commands of a lower epoch than the highest seen are dropped.
 * TMG-2  The first message of a higher epoch ends all runners of older ones.
 * TMG-3  Without a JobManager runners go on: they neither checkpoint nor commit, because nothing tells them to.
 * TMG-4  A runner's exit is reported at once, with what it said last; so is one that could not be started.
 * TMG-5  Nothing of a runner outlives it but its log, and of logs a bounded amount (LOG-1, LOG-2).
 *        Copies of snapshot objects go an hour after the last runner of their job (LCO-1).
 * TMG-6  A slot has at most one runner: the next one waits for one that is ending, and is refused while another has the slot.
 */
import { rm } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { type ErrorInfo, errorInfo, type Logger } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import type { AttemptMessage, Down, DownMessage } from "@millrace/protocol";
import { slotTaken } from "@millrace/runtime";
import { startMetricsServer } from "@millrace/telemetry";
import { ControlClient } from "./control-client.ts";
import { readDeployment } from "./deployment.ts";
import { fail } from "./fail.ts";
import { isFolder, LocalCopies } from "./local-copies.ts";
import { availableMemoryBytes, debugged } from "./machine.ts";
import { planBundle } from "./plan.ts";
import { RunnerLogs } from "./runner-logs.ts";
import { type RunnerExit, RunnerProcess } from "./runner-process.ts";
import { runnerMemoryBytes } from "./runner-watch.ts";
import { TaskMetrics } from "./task-metrics.ts";

/** How often logs are looked after. */
const logIntervalMs = 2_000;
const copiesIntervalMs = 600_000;
/** Until a JobManager says otherwise: its defaults. */
const defaultHeartbeat = { intervalMs: 500, timeoutMs: 3_000 };
/** A killed process that does not go is the kernel's. */
const closeTimeoutMs = 10_000;

export interface TaskManagerOptions {
  /** Control addresses, "host:port". */
  readonly jobManagers: readonly string[];
  readonly slots: number;
  /** Location of the cluster's store. */
  readonly store: string;
  /** Address under which runners listen for data. */
  readonly host: string;
  readonly workDir: string;
  readonly logDir: string;
  /** 0: any free port. */
  readonly metricsPort: number;
  readonly logger: Logger;
  /** Resident memory of a runner, beyond which it is ended; default: its slots' part of 80 % of the machine's or container's memory. */
  readonly runnerMemoryBytes?: number;
  /** Default: made up, unique for each start. */
  readonly id?: string;
}
export interface TaskManager {
  readonly id: string;
  readonly metricsAddress: string;
  /** Pids of the runners that are alive. */
  runners(): readonly number[];
  close(): Promise<void>;
}

export async function startTaskManager(options: TaskManagerOptions): Promise<TaskManager> {
  for (const address of options.jobManagers) {
    if (!/^[^\s:]+:\d{1,5}$/.test(address))
      throw fail("TASKMANAGER_BAD_ADDRESS", { fields: { address } });
  }
  const id = options.id ?? `tm-${nodePlatform.random.hex(6)}`;
  const metrics = new TaskMetrics({ host: options.host, taskManager: id });
  const server = await startMetricsServer({
    host: options.host,
    port: options.metricsPort,
    text: () => metrics.text(),
  });
  const daemon = new TaskManagerDaemon(options, id, metrics, server.address);
  return {
    id: daemon.id,
    metricsAddress: server.address,
    runners: () => daemon.pids(),
    close: async () => {
      await daemon.close();
      await server.close();
    },
  };
}

class TaskManagerDaemon {
  readonly id: string;
  readonly #options: TaskManagerOptions;
  readonly #logger: Logger;
  readonly #metrics: TaskMetrics;
  readonly #runners = new Map<string, RunnerProcess>();
  /** Runners whose slots are not free yet. Bounded by what the JobManager starts: one attempt of each job. */
  readonly #waiting = new Map<string, Down<"startRunner">>();
  readonly #control: ControlClient;
  readonly #logs: RunnerLogs;
  readonly #logTimer: NodeJS.Timeout;
  #heartbeat = defaultHeartbeat;
  #epoch = 0;
  #lastCpu = process.cpuUsage();
  #onIdle: (() => void) | undefined;
  /** Undefined: the store is a folder itself. */
  readonly #copies: LocalCopies | undefined;
  readonly #copiesTimer: NodeJS.Timeout;
  /** Folders of ended runners that are being removed. */
  readonly #removals = new Set<Promise<void>>();

  constructor(
    options: TaskManagerOptions,
    id: string,
    metrics: TaskMetrics,
    metricsAddress: string,
  ) {
    this.id = id;
    this.#options = options;
    this.#logger = options.logger;
    this.#metrics = metrics;
    this.#logs = new RunnerLogs({ folder: options.logDir, taskManagerId: id });
    this.#logTimer = setInterval(() => void this.#logs.look(), logIntervalMs).unref();
    this.#copies = isFolder(options.store)
      ? undefined
      : new LocalCopies(join(options.workDir, "copies"), id);
    this.#copiesTimer = setInterval(() => {
      void this.#copies?.sweep(new Set(attempts().map(({ jobId }) => jobId)));
    }, copiesIntervalMs).unref();
    const attempts = () =>
      [...this.#runners.values(), ...this.#waiting.values()].flatMap((runner) =>
        runner.attempt === undefined ? [] : [runner.attempt],
      );
    this.#control = new ControlClient({
      addresses: options.jobManagers,
      logger: options.logger,
      registration: () => ({
        $case: "register",
        value: {
          taskManagerId: id,
          slots: options.slots,
          host: options.host,
          version: "0.1.0",
          pid: process.pid,
          epoch: this.#epoch,
          runners: attempts(),
          memoryBytes: process.memoryUsage.rss(),
          metricsAddress,
          cpuCores: cpus().length,
          physicalMemoryBytes: totalmem(),
        },
      }),
      heartbeat: (sequence) => ({
        $case: "heartbeat",
        value: {
          sequence,
          runners: attempts(),
          rssBytes: process.memoryUsage.rss(),
          cpuLoad: this.#cpuLoad(),
        },
      }),
      onMessage: (message) => this.#receive(message),
    });
  }

  pids(): readonly number[] {
    return [...this.#runners.values()].flatMap((runner) => runner.pid ?? []);
  }
  async close(): Promise<void> {
    this.#control.close();
    clearInterval(this.#logTimer);
    clearInterval(this.#copiesTimer);
    this.#waiting.clear();
    for (const runner of this.#runners.values()) runner.kill();
    if (this.#runners.size > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        setTimeout(resolve, closeTimeoutMs).unref();
      });
    await Promise.allSettled(this.#removals);
  }

  #receive(message: DownMessage): void {
    const epoch = epochOf(message);
    if (epoch !== undefined) {
      if (epoch < this.#epoch) return;
      if (epoch > this.#epoch) this.#newEpoch(epoch);
    }
    switch (message.$case) {
      case "startRunner":
        return this.#start(message.value);
      case "stopRunner": {
        if (
          message.value.attempt !== undefined &&
          this.#waiting.delete(keyOf(message.value.attempt))
        )
          return this.#exited(message.value.attempt);
        const runner = this.#runnerOf(message.value.attempt);
        if (message.value.reason === "finished")
          runner?.finish(Math.max(message.value.graceMs, 100));
        else runner?.kill();
        return;
      }
      case "deploySlot":
        return this.#deploy(message);
      case "triggerCheckpoint":
      case "checkpointCompleted":
      case "checkpointAborted":
      case "commit":
        return this.#runnerOf(message.value.attempt)?.command(message);
      case "logsRequest":
        return void this.#answerLogs(message.value);
      case "planRequest":
        void planBundle({
          request: message.value,
          store: this.#options.store,
          workDir: this.#options.workDir,
        }).then((answer) => this.#control.send({ $case: "planAnswer", value: answer }));
        return;
      case "registered":
        this.#heartbeat = {
          intervalMs: message.value.heartbeatIntervalMs || defaultHeartbeat.intervalMs,
          timeoutMs: message.value.heartbeatTimeoutMs || defaultHeartbeat.timeoutMs,
        };
        return;
      case "heartbeatAnswer":
        return;
    }
  }

  #newEpoch(epoch: number): void {
    this.#epoch = epoch;
    for (const [key, { attempt }] of this.#waiting)
      if (attempt !== undefined && attempt.epoch < epoch) this.#waiting.delete(key);
    for (const runner of this.#runners.values()) {
      if (runner.attempt.epoch >= epoch) continue;
      this.#logger.info("ending a runner of an older epoch", {
        ...runner.attempt,
        newEpoch: epoch,
      });
      runner.kill();
    }
  }

  #start(start: Down<"startRunner">): void {
    const { attempt } = start;
    if (attempt === undefined || this.#runners.has(keyOf(attempt))) return;
    const holders = [...this.#runners.values()].filter((runner) =>
      runner.slots.some((slot) => start.slots.includes(slot)),
    );
    const refusing = holders.find((runner) => !runner.ending);
    if (refusing !== undefined)
      return this.#exited(attempt, { error: slotTaken(start.slots, refusing.attempt) });
    if (holders.length > 0) return void this.#waiting.set(keyOf(attempt), start);
    this.#metrics.started(attempt, start.jobName);
    const workDir = join(
      this.#options.workDir,
      `${attempt.jobId}-${attempt.epoch}.${attempt.attempt}-${this.id}`,
    );
    const ended = (exit: RunnerExit) => this.#ended(attempt, workDir, exit);
    try {
      const runner = new RunnerProcess({
        runner: {
          start,
          store: this.#options.store,
          host: this.#options.host,
          workDir,
          ...(this.#copies === undefined ? {} : { copies: this.#copies.folderOf(attempt.jobId) }),
          memoryBytes: runnerMemoryBytes({
            given: this.#options.runnerMemoryBytes,
            availableBytes: availableMemoryBytes(),
            slots: start.slots.length,
            allSlots: this.#options.slots,
          }),
        },
        attempt,
        logFile: this.#logs.begin(attempt),
        heartbeat: debugged() ? { ...this.#heartbeat, timeoutMs: 0 } : this.#heartbeat,
        events: {
          onUp: (message) => this.#control.send(message),
          onMetrics: (samples) => {
            this.#metrics.report(attempt, samples);
            this.#control.send({
              $case: "metricsReport",
              value: { attempt, samples: JSON.stringify(samples) },
            });
          },
          onMemory: (rssBytes) => this.#metrics.memory(attempt, rssBytes),
          onExit: ended,
        },
      });
      this.#runners.set(keyOf(attempt), runner);
      this.#logger.info("runner started", { ...attempt, pid: runner.pid, slots: start.slots });
    } catch (error) {
      const { code, syscall, path } = error as NodeJS.ErrnoException;
      const fields = { code: code ?? null, syscall: syscall ?? null, path: path ?? null };
      ended({
        exitCode: -1,
        signal: "",
        error: errorInfo(fail("RUNNER_NOT_STARTED", { fields, cause: error })),
      });
    }
  }

  #ended(attempt: AttemptMessage, workDir: string, { exitCode, signal, error }: RunnerExit): void {
    this.#runners.delete(keyOf(attempt));
    this.#metrics.ended(attempt);
    this.#logs.end(attempt);
    const removal = rm(workDir, { recursive: true, force: true }).catch((reason: unknown) =>
      this.#logger.warn("a runner's folder stays", { ...attempt, reason: String(reason) }),
    );
    this.#removals.add(removal);
    void removal.finally(() => this.#removals.delete(removal));
    this.#logger.info("runner ended", { ...attempt, exitCode, signal, error: textOf(error) });
    this.#exited(attempt, { exitCode, signal, error });
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const next of waiting) this.#start(next);
    if (this.#runners.size === 0) this.#onIdle?.();
  }

  #deploy(message: Extract<DownMessage, { $case: "deploySlot" }>): void {
    const { attempt } = message.value;
    const runner = this.#runnerOf(attempt);
    if (attempt === undefined || runner === undefined) return;
    try {
      this.#metrics.deployed(attempt, readDeployment(message.value).tasks);
      runner.command(message);
    } catch (error) {
      runner.kill(error);
    }
  }

  async #answerLogs({ requestId, jobId, tailLines }: Down<"logsRequest">): Promise<void> {
    const text = await this.#logs.tail(jobId, tailLines).catch(() => "");
    this.#control.send({ $case: "logsAnswer", value: { requestId, text } });
  }

  #exited(
    attempt: AttemptMessage,
    exit: { exitCode?: number; signal?: string; error?: ErrorInfo | undefined } = {},
  ): void {
    const { exitCode = -1, signal = "", error } = exit;
    this.#control.send({
      $case: "runnerExited",
      value: {
        attempt,
        exitCode,
        signal,
        error: error === undefined ? "" : JSON.stringify(error),
      },
    });
  }
  #runnerOf(attempt: AttemptMessage | undefined): RunnerProcess | undefined {
    return attempt === undefined ? undefined : this.#runners.get(keyOf(attempt));
  }

  #cpuLoad(): number {
    const { user, system } = process.cpuUsage(this.#lastCpu);
    this.#lastCpu = process.cpuUsage();
    return (user + system) / 1_000_000;
  }
}

function textOf(error: ErrorInfo | undefined): string | undefined {
  return error === undefined ? undefined : `${error.code}: ${error.message}`;
}
function keyOf(attempt: AttemptMessage): string {
  return `${attempt.jobId} ${attempt.epoch}.${attempt.attempt}`;
}

/** The epoch a message speaks with; a stop names the attempt it ends, which may be older than its sender. */
function epochOf(message: DownMessage): number | undefined {
  switch (message.$case) {
    case "registered":
    case "heartbeatAnswer":
      return message.value.epoch;
    case "logsRequest":
    case "planRequest":
    case "stopRunner":
      return undefined;
    default:
      return message.value.attempt?.epoch;
  }
}
