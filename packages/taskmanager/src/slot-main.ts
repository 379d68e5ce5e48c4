/**
 * A worker thread of a runner: one slot. Listens for data, builds the job, and runs what is deployed.
 *
 * WRK-1  Whatever is not caught here ends the whole runner: half a job is worse than none.
 */
import { inspect } from "node:util";
import { MessageChannel, parentPort, workerData } from "node:worker_threads";
import { errorInfo } from "@millrace/base";
import { faultPoints, nodePlatform, secretFromEnvironment, zstd } from "@millrace/base/node";
import { openSlotTransport } from "@millrace/exchange/node";
import type { DownMessage } from "@millrace/protocol";
import { applyCommand, collectMetrics, Slot, upMessageOf } from "@millrace/runtime";
import { inlineSegmentBuilder } from "@millrace/state";
import { openStore } from "@millrace/storage";
import { createLogger } from "@millrace/telemetry";
import { attributed, ownerOfCode } from "./code-owner.ts";
import { readDeployment } from "./deployment.ts";
import { loadJobCode } from "./job-code.ts";
import { localObjects } from "./local-objects.ts";
import { debugged } from "./machine.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./runner-protocol.ts";
import { threadSegmentBuilder } from "./segment-thread.ts";
import { sharedSegmentBuilder } from "./shared-segments.ts";
import { captureConsole } from "./user-console.ts";

const port = parentPort;
if (port === null) throw new Error("slot-main runs as a worker thread");
const { runner, slot: slotIndex, bundleFile, rings } = workerData as WorkerStart;
const { start } = runner;
const attempt = start.attempt ?? { jobId: "", epoch: 0, attempt: 0 };
const metricsIntervalMs = 1_000;
const send = (message: FromWorker) => port.postMessage(message);

process.on("unhandledRejection", (error) => crash(error));
process.on("uncaughtException", (error) => crash(error));

let slot: Slot | undefined;
const logger = createLogger({
  level: process.env["MILLRACE_LOG_LEVEL"] ?? "info",
  to: 2,
  fields: { job: attempt.jobId, attempt: `${attempt.epoch}.${attempt.attempt}`, slot: slotIndex },
});
captureConsole((level, text, stack) =>
  logger[level](text, { from: "user", ...(ownerOfCode() ?? slot?.whereabouts(stack)) }),
);

const store = await openStore(runner.store);
const copies = runner.copies === undefined ? undefined : localObjects(runner.copies);
const transport = await openSlotTransport({
  host: runner.host,
  ...(rings === undefined ? {} : { rings }),
  scope: `${attempt.jobId} ${attempt.epoch}.${attempt.attempt}`,
  ...(debugged() ? { heartbeatMs: 0 } : {}),
});
const code = await loadJobCode(bundleFile, JSON.parse(start.parameters), start.graphDigest);
const segments = sharedSegmentBuilder(
  inlineSegmentBuilder(zstd, {
    async put(key, bytes) {
      await store.put(key, bytes);
      // Nobody waits for a copy.
      void copies?.keep(key, bytes);
    },
  }),
  () => {
    const { port1, port2 } = new MessageChannel();
    port.postMessage({ kind: "helper", port: port2 } satisfies FromWorker, [port2]);
    return threadSegmentBuilder(port1);
  },
);
const faultPoint = faultPoints(process.env["MILLRACE_FAULT_POINTS"]);

port.on("message", (message: ToWorker) => {
  if (message.kind === "command") command(message.message);
  else if (message.kind === "meet") transport.meet(message.slots);
  else if (message.kind === "finish") void finish();
});
send({ kind: "listening", slot: slotIndex, ...transport.address });

function command(message: DownMessage): void {
  switch (message.$case) {
    case "deploySlot": {
      if (message.value.slot !== slotIndex || slot !== undefined) return;
      const { tasks, restore, options } = readDeployment(message.value);
      slot = new Slot({
        platform: nodePlatform,
        logger,
        transport,
        objects: {
          getRange: async (key, from, to) =>
            (await copies?.getRange(key, from, to)) ?? (await store.getRange(key, from, to)),
        },
        attributed,
        faultPoint,
        secrets: secretFromEnvironment,
        checkMutations: false,
        compression: zstd,
        segments,
        job: {
          ...attempt,
          jobName: start.jobName,
          options: options.job,
          committedFloor: options.committedFloor,
        },
        functions: code.functions,
        report: (event) => {
          if (event.kind === "state" && event.state === "FAILED")
            logger.error("a subtask failed", {
              vertex: event.vertex,
              subtask: event.subtask,
              error: inspect(event.error, { depth: 6 }),
            });
          send({ kind: "up", message: upMessageOf(attempt, event) });
        },
      });
      slot.deploy({ tasks, restore });
      setInterval(reportMetrics, metricsIntervalMs).unref();
      return;
    }
    case "triggerCheckpoint":
    case "checkpointCompleted":
    case "checkpointAborted":
    case "commit":
      if (slot !== undefined) applyCommand(slot, message);
      return;
    default:
      return;
  }
}

function reportMetrics(): void {
  if (slot !== undefined) send({ kind: "metrics", samples: collectMetrics(slot) });
}

async function finish(): Promise<void> {
  reportMetrics();
  await slot?.finish();
  await transport.close();
  await store.close();
  send({ kind: "finished" });
}

function crash(error: unknown): void {
  send({ kind: "crashed", error: errorInfo(error) });
}
