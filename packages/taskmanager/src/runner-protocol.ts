/**
 * What a TaskManager, its runner process and the runner's worker threads say to each other. Control messages are those of the
 * control protocol, passed on unchanged; only starting and ending have words of their own.
 */
import type { MessagePort } from "node:worker_threads";
import type { ErrorInfo } from "@millrace/base";
import type { RingSeat, SlotAddress } from "@millrace/exchange/node";
import type { Down, DownMessage, MetricSample, UpMessage } from "@millrace/protocol";

/** What a runner process needs to begin. */
export interface RunnerStart {
  readonly start: Down<"startRunner">;
  readonly store: string;
  readonly host: string;
  /** Private to this attempt. */
  readonly workDir: string;
  /** Where copies of the job's snapshot objects are kept; absent for a store that is a folder itself. */
  readonly copies?: string;
  /** Resident memory of the process; the workers' heaps are sized by it. */
  readonly memoryBytes: number;
}

/** TaskManager → runner → worker. */
export type ToRunner =
  | { readonly kind: "start"; readonly runner: RunnerStart }
  | { readonly kind: "command"; readonly message: DownMessage }
  /** To the process itself: answered by `pong`. */
  | { readonly kind: "ping" }
  /** Close every task in order, then exit. */
  | { readonly kind: "finish" };

/** Runner → worker. */
export type ToWorker =
  | ToRunner
  /** The addresses of all slots of this runner; before anything is deployed. */
  | { readonly kind: "meet"; readonly slots: readonly SlotAddress[] };

/** Worker → runner → TaskManager. */
export type FromRunner =
  | { readonly kind: "up"; readonly message: UpMessage }
  | { readonly kind: "metrics"; readonly samples: readonly MetricSample[] }
  | { readonly kind: "pong"; readonly rssBytes: number }
  | { readonly kind: "crashed"; readonly error: ErrorInfo };

/** Worker → runner only. */
export type FromWorker =
  | FromRunner
  | {
      readonly kind: "listening";
      readonly slot: number;
      readonly host: string;
      readonly port: number;
    }
  /** Segments that the runner's helper thread builds come by this port. */
  | { readonly kind: "helper"; readonly port: MessagePort }
  | { readonly kind: "finished" };

export interface WorkerStart {
  readonly runner: RunnerStart;
  readonly slot: number;
  /** The bundle as a file, loaded once per worker. */
  readonly bundleFile: string;
  /** Memory shared with the runner's other slots; absent: everything goes by TCP. */
  readonly rings?: RingSeat;
}

/** The file of an entry beside `url`, in source (.ts) as in a packed build (.js). */
export function entryFile(name: string, url: string): URL {
  return new URL(`./${name}${url.endsWith(".ts") ? ".ts" : ".js"}`, url);
}

/** Node's arguments for a child process: those of this one, but never its debugger's port, nor the small heap of a daemon. */
export function childArguments(): string[] {
  return [
    ...process.execArgv.filter((arg) => !/^--(inspect|max-semi-space-size)/.test(arg)),
    "--enable-source-maps",
  ];
}
