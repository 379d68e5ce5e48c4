/**
 * The helper thread of a runner: sorts, compresses and checks what snapshots copied, so that slots go on with records meanwhile.
 * Every slot has a port of its own; what it sends is built in the order in which it comes.
 */
import { type MessagePort, parentPort } from "node:worker_threads";
import { errorInfo } from "@millrace/base";
import { zstd } from "@millrace/base/node";
import { buildSegment } from "@millrace/state";
import type { SegmentAnswer, SegmentRequest } from "./segment-thread.ts";

const parent = parentPort;
if (parent === null) throw new Error("segment-main runs as a worker thread");
parent.on("message", (port: MessagePort) => {
  port.on("message", ({ id, task }: SegmentRequest) => {
    try {
      const built = buildSegment(task, zstd);
      port.postMessage({ id, built } satisfies SegmentAnswer, [built.bytes.buffer]);
    } catch (error) {
      port.postMessage({ id, error: errorInfo(error) } satisfies SegmentAnswer);
    }
  });
});
