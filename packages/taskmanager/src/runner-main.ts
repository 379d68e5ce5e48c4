/**
 * The task runner: one process for one attempt of one job on one TaskManager, one worker thread per slot. The unit of failure.
 *
 * RUN-1  A worker that crashes or exits takes the whole process with it, at once, after its error has been reported.
 * RUN-2  When the TaskManager goes away, so does the runner: it never outlives the process that answers for it.
 * RUN-3  Runner and TaskManager speak over the IPC channel only; standard output and error are the job's log.
 * RUN-4  Workers' heaps have a bound that is the runner's memory shared out; a heap that is full is an error with a code of its own.
 * RUN-5  Slots of one runner reach each other through memory that they share; `MILLRACE_TRANSPORT=tcp` sends everything by TCP.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { errorInfo } from "@millrace/base";
import { ringSeats, type SlotAddress } from "@millrace/exchange/node";
import { openStore } from "@millrace/storage";
import { fail } from "./fail.ts";
import {
  entryFile,
  type FromRunner,
  type FromWorker,
  type RunnerStart,
  type ToRunner,
  type ToWorker,
  type WorkerStart,
} from "./runner-protocol.ts";
import { workerHeapMb } from "./runner-watch.ts";
import type { HelperStart } from "./segment-thread.ts";

const workers = new Map<number, Worker>();
const addresses: SlotAddress[] = [];
let finished = 0;

process.on("disconnect", () => process.exit(1));
process.on("unhandledRejection", (error) => void crash(error));
process.on("uncaughtException", (error) => void crash(error));
process.on("message", (message: ToRunner) => {
  if (message.kind === "start") void start(message.runner).catch(crash);
  else if (message.kind === "ping") send({ kind: "pong", rssBytes: process.memoryUsage.rss() });
  else tellWorkers(message);
});

async function start(runner: RunnerStart): Promise<void> {
  const store = await openStore(runner.store);
  const bundle = await store.get(runner.start.bundle);
  await store.close();
  if (bundle === undefined)
    throw fail("RUNNER_BUNDLE_MISSING", { fields: { bundle: runner.start.bundle } });
  await mkdir(runner.workDir, { recursive: true });
  const bundleFile = join(runner.workDir, "job.mjs");
  await writeFile(bundleFile, bundle);
  const resourceLimits = {
    maxOldGenerationSizeMb: workerHeapMb(runner.memoryBytes, runner.start.slots.length),
  };
  let helper: Worker | undefined;
  const startHelper = () => {
    const { store, copies } = runner;
    const workerData: HelperStart = { store, copies };
    const started = newWorker("segment-main", { workerData, resourceLimits });
    started.on("error", (error) => void crash(error));
    return started;
  };
  const seats = process.env["MILLRACE_TRANSPORT"] === "tcp" ? [] : ringSeats(runner.start.slots);
  for (const slot of runner.start.slots) {
    const rings = seats.find((seat) => seat.slot === slot);
    const workerData: WorkerStart = {
      runner,
      slot,
      bundleFile,
      ...(rings === undefined ? {} : { rings }),
    };
    const worker = newWorker("slot-main", {
      workerData,
      transferList: (rings?.ports ?? []).map(({ port }) => port),
      resourceLimits,
    });
    workers.set(slot, worker);
    worker.on("message", (message: FromWorker) => {
      if (message.kind !== "helper") return receive(message, runner);
      helper ??= startHelper();
      helper.postMessage(message.port, [message.port]);
    });
    worker.on("error", (error) => void crash(ofHeap(error, slot, resourceLimits)));
    worker.on("exit", (code) => {
      if (finished < workers.size)
        void crash(fail("RUNNER_CRASHED", { fields: { slot, exitCode: code } }));
    });
  }
}

/** A worker whose heap is full is ended by V8, with an error of its own. */
function ofHeap(
  error: Error,
  slot: number,
  { maxOldGenerationSizeMb }: { readonly maxOldGenerationSizeMb: number },
): Error {
  return (error as { readonly code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY"
    ? fail("RUNNER_MEMORY", { fields: { slot, heapLimitMb: maxOldGenerationSizeMb }, cause: error })
    : error;
}

function newWorker(entry: string, options: WorkerOptions = {}): Worker {
  return new Worker(entryFile(entry, import.meta.url), {
    ...options,
    execArgv: process.execArgv,
    stdout: false,
    stderr: false,
  });
}

function receive(message: Exclude<FromWorker, { kind: "helper" }>, runner: RunnerStart): void {
  switch (message.kind) {
    case "listening":
      addresses.push({ slot: message.slot, host: message.host, port: message.port });
      if (addresses.length < workers.size) return;
      tellWorkers({ kind: "meet", slots: addresses });
      send({
        kind: "up",
        message: {
          $case: "runnerReady",
          value: { attempt: runner.start.attempt, slots: addresses, pid: process.pid },
        },
      });
      return;
    case "finished":
      finished += 1;
      if (finished === workers.size) process.exit(0);
      return;
    case "crashed":
      void crash(undefined, message);
      return;
    default:
      send(message);
  }
}

function tellWorkers(message: ToWorker): void {
  for (const worker of workers.values()) worker.postMessage(message);
}

function send(message: FromRunner): void {
  if (process.connected) process.send?.(message);
}

let crashing = false;
/** Reports, then exits as soon as the report has left: nothing else of this process may have an effect. */
async function crash(error: unknown, report?: FromRunner): Promise<void> {
  if (crashing) return;
  crashing = true;
  const message: FromRunner = report ?? {
    kind: "crashed",
    error: errorInfo(error, "RUNNER_CRASHED"),
  };
  process.stderr.write(
    `${JSON.stringify({ level: "error", message: "runner crashed", error: "error" in message ? message.error : undefined })}\n`,
  );
  setTimeout(() => process.exit(1), 200);
  if (process.connected) process.send?.(message, () => process.exit(1));
  else process.exit(1);
}
