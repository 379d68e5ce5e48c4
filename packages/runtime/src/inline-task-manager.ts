/**
 * A TaskManager without processes: its slots live on the event loop that it is given. For jobs run in one process, for tests,
 * and for the simulation; the daemon differs only in where slots live.
 *
 * ITM-1  It obeys the epoch rules of the daemon: a command of a lower epoch, or of an attempt it does not run, is dropped; the
 *        first message of a higher epoch ends all older runners.
 * ITM-2  A slot has at most one runner: one that is ending makes room at once, any other keeps it and the new one is refused.
 */
import { type ErrorInfo, errorInfo, type Logger, type Platform } from "@millrace/base";
import type { Transport } from "@millrace/exchange";
import type { AttemptMessage, Down, DownMessage, UpMessage } from "@millrace/protocol";
import { type BlockCompression, inlineSegmentBuilder } from "@millrace/state";
import { applyCommand, upMessageOf } from "./bridge.ts";
import type { JobContext, SlotEvent, SnapshotObjects } from "./host.ts";
import { Slot } from "./slot.ts";
import { slotTaken } from "./slot-taken.ts";

export interface InlineTaskManagerOptions {
  readonly id: string;
  readonly slots: number;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly objects: SnapshotObjects & { put(key: string, bytes: Uint8Array): Promise<void> };
  readonly compression?: BlockCompression;
  readonly checkMutations: boolean;
  /** A door to the data plane for one slot of one attempt. */
  openTransport(attempt: AttemptMessage, slot: number): Transport;
  /** Closures by operator uid for a runner that starts. Throws when bundle and graph do not belong together. */
  loadFunctions(start: Down<"startRunner">): (uid: string) => Readonly<Record<string, unknown>>;
  secrets(name: string): string;
  faultPoint?(name: string): void;
  send(message: UpMessage): void;
}

interface Runner {
  readonly attempt: AttemptMessage;
  readonly functions: (uid: string) => Readonly<Record<string, unknown>>;
  readonly jobName: string;
  readonly transports: Map<number, Transport>;
  readonly slots: Map<number, Slot>;
  ending: boolean;
}

export class InlineTaskManager {
  readonly #options: InlineTaskManagerOptions;
  readonly #runners = new Map<string, Runner>();
  #epoch = 0;
  #closed = false;

  constructor(options: InlineTaskManagerOptions) {
    this.#options = options;
  }

  /** What a new stream says first. */
  registration(): UpMessage {
    return {
      $case: "register",
      value: {
        taskManagerId: this.#options.id,
        slots: this.#options.slots,
        host: "inline",
        version: "inline",
        pid: 0,
        epoch: this.#epoch,
        runners: [...this.#runners.values()].map((runner) => runner.attempt),
        memoryBytes: 0,
        cpuCores: 0,
        physicalMemoryBytes: 0,
        metricsAddress: "",
      },
    };
  }
  receive(message: DownMessage): void {
    if (this.#closed) return;
    const epoch = epochOf(message);
    if (epoch !== undefined) {
      if (epoch < this.#epoch) return;
      if (epoch > this.#epoch) {
        this.#epoch = epoch;
        for (const runner of [...this.#runners.values()])
          if (runner.attempt.epoch < epoch) this.#end(runner, undefined);
      }
    }
    switch (message.$case) {
      case "startRunner":
        return this.#start(message.value);
      case "deploySlot":
        return this.#deploy(message.value);
      case "stopRunner":
        return void this.#stop(message.value);
      case "triggerCheckpoint":
      case "checkpointCompleted":
      case "checkpointAborted":
      case "commit":
        for (const slot of this.#runnerOf(message.value.attempt)?.slots.values() ?? [])
          applyCommand(slot, message);
        return;
      default:
        return;
    }
  }

  /** Ends everything at once, as a killed process would: nothing is flushed, nothing is reported. */
  kill(): void {
    this.#closed = true;
    for (const runner of this.#runners.values()) this.#discard(runner);
    this.#runners.clear();
  }

  /** One runner dies by itself, as a crashed process would. False when there is none. */
  crashRunner(error: ErrorInfo): boolean {
    const [runner] = this.#runners.values();
    if (runner === undefined) return false;
    this.#end(runner, error);
    return true;
  }

  #start(message: Down<"startRunner">): void {
    const { attempt } = message;
    if (attempt === undefined || this.#runnerOf(attempt) !== undefined) return;
    for (const holder of [...this.#runners.values()]) {
      if (!message.slots.some((slot) => holder.transports.has(slot))) continue;
      if (!holder.ending) return this.#exited(attempt, 1, slotTaken(message.slots, holder.attempt));
      this.#end(holder, undefined);
    }
    try {
      const runner: Runner = {
        attempt,
        functions: this.#options.loadFunctions(message),
        jobName: message.jobName,
        transports: new Map(),
        slots: new Map(),
        ending: false,
      };
      for (const slot of message.slots)
        runner.transports.set(slot, this.#options.openTransport(attempt, slot));
      this.#runners.set(keyOf(attempt), runner);
      this.#options.send({
        $case: "runnerReady",
        value: {
          attempt,
          pid: 0,
          slots: [...runner.transports].map(([slot, transport]) => ({
            slot,
            ...transport.address,
          })),
        },
      });
    } catch (error) {
      this.#exited(attempt, 1, errorInfo(error));
    }
  }

  #deploy(message: Down<"deploySlot">): void {
    const runner = this.#runnerOf(message.attempt);
    const transport = runner?.transports.get(message.slot);
    if (runner === undefined || transport === undefined || runner.ending) return;
    if (runner.slots.has(message.slot)) return;
    const options = JSON.parse(message.options) as {
      readonly committedFloor: number;
      readonly job: JobContext["options"];
    };
    const slot = new Slot({
      platform: this.#options.platform,
      logger: this.#options.logger,
      transport,
      objects: this.#options.objects,
      compression: this.#options.compression,
      segments: inlineSegmentBuilder(this.#options.compression, this.#options.objects),
      checkMutations: this.#options.checkMutations,
      job: {
        jobId: runner.attempt.jobId,
        jobName: runner.jobName,
        epoch: runner.attempt.epoch,
        attempt: runner.attempt.attempt,
        options: options.job,
        committedFloor: options.committedFloor,
      },
      functions: runner.functions,
      secrets: (name) => this.#options.secrets(name),
      // User code prints as it does in this process.
      attributed: (_owner, run) => run(),
      faultPoint: (name) => this.#options.faultPoint?.(name),
      report: (event: SlotEvent) => {
        if (!this.#closed && this.#runners.get(keyOf(runner.attempt)) === runner)
          this.#options.send(upMessageOf(runner.attempt, event));
      },
    });
    runner.slots.set(message.slot, slot);
    slot.deploy({ tasks: JSON.parse(message.tasks), restore: JSON.parse(message.restore) });
  }

  async #stop(message: Down<"stopRunner">): Promise<void> {
    const runner = this.#runnerOf(message.attempt);
    if (runner === undefined || runner.ending) return;
    runner.ending = true;
    if (message.reason === "finished")
      await Promise.all([...runner.slots.values()].map((slot) => slot.finish()));
    this.#end(runner, undefined);
  }

  #end(runner: Runner, error: ErrorInfo | undefined): void {
    this.#discard(runner);
    if (!this.#runners.delete(keyOf(runner.attempt))) return;
    this.#exited(runner.attempt, 0, error);
  }
  #discard(runner: Runner): void {
    for (const slot of runner.slots.values()) slot.discard();
    for (const transport of runner.transports.values()) void transport.close();
  }
  #exited(attempt: AttemptMessage, exitCode: number, error: ErrorInfo | undefined): void {
    this.#options.send({
      $case: "runnerExited",
      value: {
        attempt,
        exitCode,
        signal: "",
        error: error === undefined ? "" : JSON.stringify(error),
      },
    });
  }
  #runnerOf(attempt: AttemptMessage | undefined): Runner | undefined {
    return attempt === undefined ? undefined : this.#runners.get(keyOf(attempt));
  }
}

function keyOf(attempt: AttemptMessage): string {
  return `${attempt.jobId} ${attempt.epoch}.${attempt.attempt}`;
}

function epochOf(message: DownMessage): number | undefined {
  switch (message.$case) {
    case "registered":
    case "heartbeatAnswer":
      return message.value.epoch;
    case "logsRequest":
    case "planRequest":
      return undefined;
    // A stop names the attempt that it ends, which may be older than the leader that says so.
    case "stopRunner":
      return undefined;
    default:
      return message.value.attempt?.epoch;
  }
}
