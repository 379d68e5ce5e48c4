/** A slot's way to the helper thread that builds segments (segment-main.ts). Copied rows are handed over, not copied again. */
import type { MessagePort } from "node:worker_threads";
import { type ErrorInfo, errorFromInfo } from "@millrace/base";
import type { BuiltSegment, SegmentBuilder, SegmentTask } from "@millrace/state";

export interface SegmentRequest {
  readonly id: number;
  readonly task: SegmentTask;
}
export type SegmentAnswer =
  | { readonly id: number; readonly built: BuiltSegment }
  | { readonly id: number; readonly error: ErrorInfo };

export function threadSegmentBuilder(port: MessagePort): SegmentBuilder {
  const waiting = new Map<number, PromiseWithResolvers<BuiltSegment>>();
  let last = 0;
  port.on("message", (answer: SegmentAnswer) => {
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("built" in answer) waiter?.resolve(answer.built);
    else waiter?.reject(errorFromInfo(answer.error));
  });
  port.unref();
  return {
    build(task) {
      const id = ++last;
      const waiter = Promise.withResolvers<BuiltSegment>();
      waiting.set(id, waiter);
      const owned = task.captured.flatMap(({ run }) =>
        run === undefined ? [] : [run.bytes.buffer, run.rows.buffer],
      );
      port.postMessage({ id, task } satisfies SegmentRequest, owned);
      return waiter.promise;
    },
  };
}
