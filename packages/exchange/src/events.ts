/**
 * Payloads of in-band events. Fixed layouts, little-endian.
 *
 *   watermark f64 · idle u8 (1 idle, 0 active) · barrier u8 kind, u32 checkpoint, u32 base (0 none), f64 timestamp · endOfData nothing
 *
 * EVT-1  Bytes of another shape are refused with `EXCHANGE_BAD_FRAME`.
 */
import type { BarrierInfo } from "@millrace/spi";
import { fail } from "./fail.ts";

const kinds = ["checkpoint", "savepoint", "final"] as const;
const barrierBytes = 17;

export function encodeWatermark(watermark: number): Uint8Array {
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setFloat64(0, watermark, true);
  return payload;
}
export function decodeWatermark(payload: Uint8Array): number {
  const watermark = viewOf(payload, 8, "watermark").getFloat64(0, true);
  if (Number.isNaN(watermark)) throw bad("watermark");
  return watermark;
}

export function encodeIdle(idle: boolean): Uint8Array {
  return Uint8Array.of(idle ? 1 : 0);
}
export function decodeIdle(payload: Uint8Array): boolean {
  const value = viewOf(payload, 1, "idle").getUint8(0);
  if (value > 1) throw bad("idle");
  return value === 1;
}

export function encodeBarrier(barrier: BarrierInfo): Uint8Array {
  const payload = new Uint8Array(barrierBytes);
  const view = new DataView(payload.buffer);
  view.setUint8(0, kinds.indexOf(barrier.kind));
  view.setUint32(1, barrier.checkpointId, true);
  view.setUint32(5, barrier.base ?? 0, true);
  view.setFloat64(9, barrier.timestamp, true);
  return payload;
}
export function decodeBarrier(payload: Uint8Array): BarrierInfo {
  const view = viewOf(payload, barrierBytes, "barrier");
  const kind = kinds[view.getUint8(0)];
  const checkpointId = view.getUint32(1, true);
  const base = view.getUint32(5, true);
  if (kind === undefined || checkpointId === 0) throw bad("barrier");
  return {
    kind,
    checkpointId,
    base: base === 0 ? undefined : base,
    timestamp: view.getFloat64(9, true),
  };
}

function viewOf(payload: Uint8Array, bytes: number, event: string): DataView {
  if (payload.length !== bytes) throw bad(event);
  return new DataView(payload.buffer, payload.byteOffset, bytes);
}
function bad(event: string): Error {
  return fail("EXCHANGE_BAD_FRAME", { fields: { event } });
}
