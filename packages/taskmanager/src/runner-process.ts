/** A runner as its TaskManager holds it: the child process, what it said last, and how it ends. */
import { type ChildProcess, fork } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { type ErrorInfo, errorInfo } from "@millrace/base";
import type { AttemptMessage, DownMessage, MetricSample, UpMessage } from "@millrace/protocol";
import { entryFile, type FromRunner, type RunnerStart, type ToRunner } from "./runner-protocol.ts";

export interface RunnerEvents {
  onUp(message: UpMessage): void;
  onMetrics(samples: readonly MetricSample[]): void;
  onExit(exit: {
    readonly exitCode: number;
    readonly signal: string;
    readonly error: ErrorInfo | undefined;
  }): void;
}

export class RunnerProcess {
  readonly attempt: AttemptMessage;
  readonly #child: ChildProcess;
  #error: ErrorInfo | undefined;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(runner: RunnerStart, attempt: AttemptMessage, logFile: string, events: RunnerEvents) {
    this.attempt = attempt;
    mkdirSync(dirname(logFile), { recursive: true });
    const out = openSync(logFile, "a");
    this.#child = fork(entryFile("runner-main", import.meta.url), [], {
      serialization: "advanced",
      stdio: ["ignore", out, out, "ipc"],
      execArgv: [
        ...process.execArgv.filter((arg) => !arg.startsWith("--inspect")),
        "--enable-source-maps",
      ],
    });
    closeSync(out);
    this.#child.on("message", (message: FromRunner) => {
      if (message.kind === "up") events.onUp(message.message);
      else if (message.kind === "metrics") events.onMetrics(message.samples);
      else this.#error = message.error;
    });
    this.#child.on("error", (error) => {
      this.#error ??= errorInfo(error, "RUNNER_CRASHED");
    });
    this.#child.on("exit", (code, signal) => {
      clearTimeout(this.#killTimer);
      events.onExit({ exitCode: code ?? -1, signal: signal ?? "", error: this.#error });
    });
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
    this.#send({ kind: "finish" });
    this.#killTimer ??= setTimeout(() => this.kill(), graceMs);
  }
  /** At once. A runner that must end has nothing left to say: its work since the last checkpoint is void. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
  #send(message: ToRunner): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}
