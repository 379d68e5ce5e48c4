/** The head of a frame, and what is checked. */
import { crc32 } from "node:zlib";

/** What both ends must speak; the hello carries it. */
export const protocolVersion = 3;
export const FrameType = {
  hello: 1,
  open: 2,
  credit: 3,
  hint: 4,
  close: 5,
  ping: 6,
  data: 16,
} as const;
export const headBytes = 17;
/** Of the head, all but the checksum itself: a damaged channel number must not bring a batch to another channel. */
export const checkedHeadBytes = 13;
/** A batch is below 128 KB unless one row is larger; no row may be larger than this. */
export const maxPayloadBytes = 64 * 1024 * 1024;
/** A channel's name, a hint: everything but data. */
export const maxControlBytes = 64 * 1024;

export interface WireFrame {
  readonly type: number;
  readonly channel: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}
export type FrameHead = Omit<WireFrame, "payload"> & { readonly payloadBytes: number };

/** CRC-32 (ITU-T V.42), by the processor's own instructions: a third of the time of CRC-32C in JavaScript. */
export function checksumOf(checkedHead: Uint8Array, payload: Uint8Array): number {
  const head = crc32(checkedHead);
  return payload.length === 0 ? head : crc32(payload, head);
}
export function readHead(bytes: Buffer, at: number): FrameHead {
  return {
    payloadBytes: bytes.readUInt32LE(at),
    type: bytes[at + 4] as number,
    channel: bytes.readUInt32LE(at + 5),
    sequence: bytes.readUInt32LE(at + 9),
  };
}
/** Writes head and payload. */
export function writeFrame(bytes: Buffer, at: number, frame: WireFrame): void {
  const { type, channel, sequence, payload } = frame;
  bytes.writeUInt32LE(payload.length, at);
  bytes[at + 4] = type;
  bytes.writeUInt32LE(channel, at + 5);
  bytes.writeUInt32LE(sequence, at + 9);
  const head = bytes.subarray(at, at + checkedHeadBytes);
  bytes.writeUInt32LE(checksumOf(head, payload), at + checkedHeadBytes);
  bytes.set(payload, at + headBytes);
}
