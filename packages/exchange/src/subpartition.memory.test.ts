/** Steady back pressure: a consumer that always leaves something waiting for credit. */
import { adaptiveCodec } from "@millrace/data";
import { expect, test } from "vitest";
import { Subpartition } from "./subpartition.ts";
import type { OutboundChannel } from "./transport.ts";

test("SUB-3: what has been sent is held no longer, though the queue never runs empty", () => {
  let credit = 0;
  let sentBytes = 0;
  let grant = () => {};
  const channel: OutboundChannel = {
    id: { edge: "e", from: 0, to: 0 },
    get credit() {
      return credit;
    },
    mayGo: (bytes) => bytes <= credit,
    send(_kind, payload) {
      credit -= payload.length;
      sentBytes += payload.length;
    },
    onCredit: (listener) => {
      grant = listener;
    },
    onHint() {},
    onFailure() {},
    close() {},
  };
  const subpartition = new Subpartition(channel, adaptiveCodec().createWriter({ hashed: false }));
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  const text = "x".repeat(10_000);
  for (let batch = 0; batch < 10_000; batch++) {
    subpartition.add(text, batch, 0);
    const waited = subpartition.queuedBytes;
    subpartition.flush();
    // Credit for what waited before this batch: one batch always stays.
    credit = waited;
    grant();
    expect(subpartition.queuedBytes).toBeGreaterThan(0);
    expect(subpartition.queuedBytes).toBeLessThan(64 * 1024);
  }
  globalThis.gc?.();
  expect(sentBytes).toBeGreaterThan(90_000_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
});
