/**
 * A runner as its TaskManager holds it: the child process, what it said last, how it is watched, and how it ends.
 *
 * RPR-1  Its end is told once, whatever came first: an exit, a process that could not be made, or closed pipes.
 * RPR-2  A runner that is silent, holds too much memory, or can't be spoken to any more is killed; the end tells why.
 */
import { type ChildProcess, fork } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { type ErrorInfo, errorInfo } from "@millrace/base";
import type { AttemptMessage, DownMessage, MetricSample, UpMessage } from "@millrace/protocol";
import { fail } from "./fail.ts";
import {
  childArguments,
  entryFile,
  type FromRunner,
  type RunnerStart,
  type ToRunner,
} from "./runner-protocol.ts";
import { RunnerWatch } from "./runner-watch.ts";

/** A process that has closed its channel is about to end by itself. */
const disconnectGraceMs = 1_000;

export interface RunnerExit {
  readonly exitCode: number;
  readonly signal: string;
  readonly error: ErrorInfo | undefined;
}
export interface RunnerEvents {
  onUp(message: UpMessage): void;
  onMetrics(samples: readonly MetricSample[]): void;
  /** Resident memory, at every answer to a ping. */
  onMemory(rssBytes: number): void;
  onExit(exit: RunnerExit): void;
}
export interface RunnerProcessOptions {
  readonly runner: RunnerStart;
  readonly attempt: AttemptMessage;
  readonly logFile: string;
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly events: RunnerEvents;
  /** Default: the runner's own, with this process's Node. */
  readonly entry?: URL;
  readonly execPath?: string;
}

export class RunnerProcess {
  readonly attempt: AttemptMessage;
  readonly slots: readonly number[];
  /** It has been told to end, and will. */
  ending = false;
  readonly #child: ChildProcess;
  readonly #events: RunnerEvents;
  readonly #heart: NodeJS.Timeout;
  #error: ErrorInfo | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #ended = false;

  /** Throws when the log can't be opened or no process can be made. */
  constructor(options: RunnerProcessOptions) {
    const { runner, attempt, logFile, events, heartbeat } = options;
    this.attempt = attempt;
    this.#events = events;
    this.slots = runner.start.slots;
    mkdirSync(dirname(logFile), { recursive: true });
    const out = openSync(logFile, "a");
    try {
      this.#child = fork(options.entry ?? entryFile("runner-main", import.meta.url), [], {
        serialization: "advanced",
        stdio: ["ignore", out, out, "ipc"],
        execArgv: childArguments(),
        ...(options.execPath === undefined ? {} : { execPath: options.execPath }),
      });
    } finally {
      closeSync(out);
    }
    const watch = new RunnerWatch({ ...heartbeat, memoryBytes: runner.memoryBytes });
    this.#child.on("message", (message: FromRunner) => this.#receive(message, watch));
    this.#child.on("error", (error) => {
      // Also when a signal or a message could not be delivered; only without a process is it the end.
      this.#error ??= errorInfo(fail("RUNNER_NOT_STARTED", { cause: error }));
      if (this.#child.pid === undefined) this.#end(-1, "");
    });
    this.#child.on("disconnect", () => {
      if (!this.#ended) this.#killTimer ??= setTimeout(() => this.kill(), disconnectGraceMs);
    });
    this.#child.on("exit", (code, signal) => this.#end(code ?? -1, signal ?? ""));
    this.#child.on("close", (code, signal) => this.#end(code ?? -1, signal ?? ""));
    this.#heart = setInterval(() => {
      this.#endFor(watch.beat());
      this.#send({ kind: "ping" });
    }, heartbeat.intervalMs);
    this.#send({ kind: "start", runner });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }
  command(message: DownMessage): void {
    this.#send({ kind: "command", message });
  }
  /** In order, and by force after `graceMs`. */
  finish(graceMs: number): void {
    this.ending = true;
    this.#send({ kind: "finish" });
    this.#killTimer ??= setTimeout(() => this.kill(), graceMs);
  }
  /** At once. A runner that must end has nothing left to say: its work since the last checkpoint is void. */
  kill(error?: unknown): void {
    this.ending = true;
    if (error !== undefined) this.#error ??= errorInfo(error);
    this.#child.kill("SIGKILL");
  }

  #receive(message: FromRunner, watch: RunnerWatch): void {
    switch (message.kind) {
      case "up":
        return this.#events.onUp(message.message);
      case "metrics":
        return this.#events.onMetrics(message.samples);
      case "pong":
        this.#events.onMemory(message.rssBytes);
        return this.#endFor(watch.heard(message.rssBytes));
      case "crashed":
        this.#error ??= message.error;
    }
  }
  #endFor(reason: Error | undefined): void {
    if (reason !== undefined) this.kill(reason);
  }
  #end(exitCode: number, signal: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#killTimer);
    clearInterval(this.#heart);
    this.#events.onExit({ exitCode, signal, error: this.#error });
  }
  #send(message: ToRunner): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}
