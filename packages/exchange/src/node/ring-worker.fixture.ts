/** A slot in a worker thread that sends frames as it has been told, to its parent's thread. */
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { FrameKind } from "../transport.ts";
import { openSlotTransport, type RingSeat, type SlotAddress } from "./slot-transport.ts";

export interface RingWorkerStart {
  readonly rings: RingSeat;
  readonly seed: number;
  readonly channels: number;
  readonly frames: number;
  readonly mostBytes: number;
  /** Share of the frames after which it rests. */
  readonly rests: number;
}
export type ToRingWorker = { readonly kind: "meet"; readonly slots: readonly SlotAddress[] };

/** The size of a channel's frame, and what is in it. */
export function frameBytes(
  { seed, mostBytes }: RingWorkerStart,
  channel: number,
  frame: number,
): number {
  const mixed = Math.imul(seed * 7919 + channel * 104_729 + frame, 0x9e37_79b1) >>> 0;
  return 8 + (mixed % (mixed % 5 === 0 ? mostBytes : 200));
}
export function byteOf(channel: number, frame: number, at: number): number {
  return (channel * 13 + frame * 7 + at) & 0xff;
}

if (parentPort !== null) {
  const port = parentPort;
  const start = workerData as RingWorkerStart;
  const transport = await openSlotTransport({ host: "127.0.0.1", scope: "s", rings: start.rings });
  port.on("message", ({ slots }: ToRingWorker) => {
    transport.meet(slots);
    const parent = slots.find(({ slot }) => slot !== start.rings.slot);
    if (parent === undefined) throw new RangeError("no parent");
    for (let to = 0; to < start.channels; to++) void send(to, parent);
  });
  port.postMessage({ slot: start.rings.slot, ...transport.address } satisfies SlotAddress);

  async function send(to: number, parent: SlotAddress): Promise<void> {
    const out = transport.openOutbound({ edge: "e", from: 0, to }, parent);
    const buffer = new Uint8Array(start.mostBytes + 8);
    for (let frame = 0; frame < start.frames; frame++) {
      const payload = buffer.subarray(0, frameBytes(start, to, frame));
      for (let i = 0; i < payload.length; i++) payload[i] = byteOf(to, frame, i);
      while (!out.mayGo(payload.length)) await new Promise<void>((go) => out.onCredit(go));
      out.send(FrameKind.batch, payload);
      payload.fill(0xee);
      if (frame % Math.round(1 / start.rests) === 0) await pause(frame % 3);
    }
  }
}
