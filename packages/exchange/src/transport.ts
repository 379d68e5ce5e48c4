/**
 * The line between the exchange and what carries it: frames in order under byte credits, between one producing and one
 * consuming subtask. Adapters: in-process (tests, simulation), rings in shared memory (slots of one runner), TCP (everything else).
 *
 * TRN-1  Frames of a channel arrive in the order they were sent, each once, or the channel fails.
 * TRN-2  Data is sent only under credit: the sum of payload bytes sent never exceeds the sum of credits granted (one frame may
 *        exceed the rest of a credit when that credit was untouched, so that a row larger than the window can pass). The consumer
 *        fails a channel whose producer does not keep to it.
 * TRN-3  Control (credit, hint, cancel) never waits behind data.
 * TRN-4  A peer's death is reported once, by `onFailure`, after every frame that did arrive.
 * TRN-5  A peer of another job, epoch or attempt is refused at the handshake.
 * TRN-6  A payload is the transport's own once `send` has returned: the sender may write over its bytes. What is taken may lie in memory
 *        that the transport uses again: it is to be read until its bytes are granted, and not after.
 */

/** What a data frame carries. Events are in band: they keep their place among batches. */
export const FrameKind = {
  batch: 1,
  watermark: 2,
  idle: 3,
  barrier: 4,
  endOfData: 5,
  latencyMarker: 6,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}

/** (edge id, producing subtask, consuming subtask) within one attempt of one job. */
export interface ChannelId {
  readonly edge: string;
  readonly from: number;
  readonly to: number;
}

/** The producing end. */
export interface OutboundChannel {
  readonly id: ChannelId;
  /** Payload bytes that may be sent now. */
  readonly credit: number;
  /** True when a payload of that size may be sent now (TRN-2). */
  mayGo(payloadBytes: number): boolean;
  /** Sends a copy of the payload (TRN-6). Throws when `mayGo` is false. */
  send(kind: FrameKind, payload: Uint8Array): void;
  /** Called after credit arrived. One listener. */
  onCredit(listener: () => void): void;
  /** Hints from the consumer (split requests). One listener. */
  onHint(listener: (payload: Uint8Array) => void): void;
  onFailure(listener: (error: unknown) => void): void;
  close(): void;
}

/** The consuming end. */
export interface InboundChannel {
  readonly id: ChannelId;
  /** The oldest frame not yet taken, to be read until its bytes are granted (TRN-6). */
  take(): Frame | undefined;
  /** Bytes waiting in this channel. */
  readonly queuedBytes: number;
  /** Lets the producer send that many more payload bytes: those of the oldest frames taken, and what is beyond them as a wider window. */
  grant(bytes: number): void;
  sendHint(payload: Uint8Array): void;
  /** Called when the queue went from empty to not empty. One listener. */
  onFrame(listener: () => void): void;
  onFailure(listener: (error: unknown) => void): void;
  close(): void;
}

/** One slot's door to the data plane, for one attempt of one job. */
export interface Transport {
  /** The address that goes into deployments. */
  readonly address: { readonly host: string; readonly port: number };
  /** Opens the producing end; dials if needed. Never waits: until the peer has granted, credit is 0. */
  openOutbound(
    id: ChannelId,
    peer: { readonly host: string; readonly port: number },
  ): OutboundChannel;
  /** Opens the consuming end with its first credit; the producer, at `peer`, may dial before or after. */
  openInbound(
    id: ChannelId,
    initialCreditBytes: number,
    peer: { readonly host: string; readonly port: number },
  ): InboundChannel;
  close(): Promise<void>;
}
