/** A slot's way to the helper thread that builds and uploads segments (segment-main.ts). Bytes are handed over, not copied. */
import type { MessagePort } from "node:worker_threads";
import { type ErrorInfo, errorFromInfo } from "@millrace/base";
import type { BuiltSegment, SegmentBuilder, SegmentTask } from "@millrace/state";

/** What the helper thread begins with. */
export interface HelperStart {
  readonly store: string;
  /** Where copies of what is uploaded are kept, if anywhere. */
  readonly copies: string | undefined;
}
export type SegmentRequest =
  | { readonly id: number; readonly kind: "build"; readonly task: SegmentTask }
  | {
      readonly id: number;
      readonly kind: "upload";
      readonly key: string;
      readonly segments: readonly Uint8Array<ArrayBuffer>[];
    };
export type SegmentAnswer =
  | { readonly id: number; readonly built?: BuiltSegment; readonly error?: undefined }
  | { readonly id: number; readonly error: ErrorInfo };

export function threadSegmentBuilder(port: MessagePort): SegmentBuilder {
  const waiting = new Map<number, PromiseWithResolvers<BuiltSegment | undefined>>();
  let last = 0;
  port.on("message", (answer: SegmentAnswer) => {
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) waiter?.resolve(answer.built);
    else waiter?.reject(errorFromInfo(answer.error));
  });
  port.unref();
  const ask = (
    request: (id: number) => SegmentRequest,
    owned: readonly ArrayBuffer[],
  ): Promise<BuiltSegment | undefined> => {
    const id = ++last;
    const waiter = Promise.withResolvers<BuiltSegment | undefined>();
    waiting.set(id, waiter);
    port.postMessage(request(id), owned);
    return waiter.promise;
  };
  return {
    async build(task) {
      const owned = task.captured.flatMap(({ runs }) =>
        runs.flatMap(({ bytes, rows }) => [bytes.buffer, rows.buffer]),
      );
      return (await ask((id) => ({ id, kind: "build", task }), owned)) as BuiltSegment;
    },
    async upload(key, segments) {
      await ask(
        (id) => ({ id, kind: "upload", key, segments }),
        segments.map(({ buffer }) => buffer),
      );
    },
  };
}
