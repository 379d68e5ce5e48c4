/**
 * The helper thread of a runner: sorts, compresses, checks and uploads what snapshots copied, so that slots go on with records meanwhile.
 * Every slot has a port of its own; what it sends is built in the order in which it comes, uploads go side by side.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { errorInfo } from "@millrace/base";
import { zstd } from "@millrace/base/node";
import { buildSegment, joinSegments } from "@millrace/state";
import { openStore } from "@millrace/storage";
import { localObjects } from "./local-objects.ts";
import type { HelperStart, SegmentAnswer, SegmentRequest } from "./segment-thread.ts";

const parent = parentPort;
if (parent === null) throw new Error("segment-main runs as a worker thread");
const start = workerData as HelperStart;
const store = openStore(start.store);
const copies = start.copies === undefined ? undefined : localObjects(start.copies);
// Told to whoever uploads.
store.catch(() => {});

parent.on("message", (port: MessagePort) => {
  port.on("message", (request: SegmentRequest) => {
    const failed = (error: unknown) =>
      port.postMessage({ id: request.id, error: errorInfo(error) } satisfies SegmentAnswer);
    if (request.kind === "upload") {
      upload(request).then(
        () => port.postMessage({ id: request.id } satisfies SegmentAnswer),
        failed,
      );
      return;
    }
    try {
      const built = buildSegment(request.task, zstd);
      port.postMessage({ id: request.id, built } satisfies SegmentAnswer, [built.bytes.buffer]);
    } catch (error) {
      failed(error);
    }
  });
});

async function upload({
  key,
  segments,
}: Extract<SegmentRequest, { kind: "upload" }>): Promise<void> {
  const content = joinSegments(segments);
  await (await store).put(key, content);
  // Nobody waits for a copy.
  void copies?.keep(key, content);
}
