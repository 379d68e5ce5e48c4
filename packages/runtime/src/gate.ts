/**
 * The input of a subtask: all channels of all its inputs, taken fairly, aligned at barriers, folded to one watermark.
 *
 * GAT-1  Elements of one channel come out in the channel's order.
 * GAT-2  After barrier n on a channel nothing of that channel comes out until barrier n has arrived on every channel (CP-02).
 *        An aborted checkpoint blocks nothing.
 * GAT-3  A batch is read where it lies: its bytes are granted again when the next element is asked for, and so is the end of its use.
 *        At most the window of each channel waits here.
 * GAT-4  A watermark comes out only when the minimum over active inputs rose; an ended channel no longer holds it back.
 */
import { createAligner } from "@millrace/checkpoint";
import { decodeBatch, maxWatermark, type RecordBatch } from "@millrace/data";
import {
  decodeBarrier,
  decodeIdle,
  decodeWatermark,
  FrameKind,
  type InboundChannel,
  type Transport,
} from "@millrace/exchange";
import type { TaskDeployment } from "@millrace/graph";
import { InputWatermarks, type WatermarkChange } from "@millrace/operators";
import type { BarrierInfo } from "@millrace/spi";

/** First credit of a channel, and so the most that may wait in it: some batches of the usual size. */
export const channelWindowBytes = 256 * 1024;

export type GateElement =
  | {
      readonly kind: "batch";
      readonly input: 0 | 1;
      readonly batch: RecordBatch;
      readonly bytes: number;
    }
  | { readonly kind: "watermark"; readonly watermark: number }
  | { readonly kind: "idle"; readonly idle: boolean }
  | { readonly kind: "barrier"; readonly barrier: BarrierInfo; readonly alignmentMs: number }
  | { readonly kind: "end-of-data" };

interface GateChannel {
  readonly index: number;
  readonly input: 0 | 1;
  readonly inbound: InboundChannel;
  blocked: boolean;
  ready: boolean;
  ended: boolean;
}

export interface GateOptions {
  readonly deployment: TaskDeployment;
  readonly transport: Transport;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly wake: () => void;
  readonly onFailure: (error: unknown) => void;
}

export class Gate {
  readonly #channels: GateChannel[] = [];
  readonly #now: () => number;
  readonly #wake: () => void;
  readonly #aligner: ReturnType<typeof createAligner>;
  readonly #watermarks: InputWatermarks;
  /** Channels with frames and not blocked, in the order in which they became so: at most one entry per channel. */
  readonly #ready: GateChannel[] = [];
  /** Elements that one frame brought beyond the first. */
  readonly #more: GateElement[] = [];
  /** The channel of the batch that is being read, and its bytes. */
  #reading: InboundChannel | undefined;
  #readingBytes = 0;
  #ended = 0;
  #barrier: BarrierInfo | undefined;
  #alignmentStart = 0;
  bytesIn = 0;

  constructor(options: GateOptions) {
    this.#now = options.now;
    this.#wake = options.wake;
    const { deployment, transport } = options;
    for (const input of deployment.inputs) {
      for (const { subtask, endpoint } of input.channels) {
        const inbound = transport.openInbound(
          { edge: input.edge, from: subtask, to: deployment.subtask },
          channelWindowBytes,
          endpoint,
        );
        const channel: GateChannel = {
          index: this.#channels.length,
          input: input.input,
          inbound,
          blocked: false,
          ready: false,
          ended: false,
        };
        this.#channels.push(channel);
        inbound.onFrame(() => {
          this.#offer(channel);
          options.wake();
        });
        inbound.onFailure(options.onFailure);
      }
    }
    this.#aligner = createAligner(this.#channels.length);
    this.#watermarks = new InputWatermarks(this.#channels.map((channel) => channel.input));
  }

  get channels(): number {
    return this.#channels.length;
  }
  get queuedBytes(): number {
    return this.#channels.reduce((sum, channel) => sum + channel.inbound.queuedBytes, 0);
  }

  /** The next element, or undefined when nothing can be taken now. Nothing of the element before it may be read any more. */
  next(): GateElement | undefined {
    this.#reading?.grant(this.#readingBytes);
    this.#reading = undefined;
    const more = this.#more.shift();
    if (more !== undefined) return more;
    for (let channel = this.#ready[0]; channel !== undefined; channel = this.#ready[0]) {
      const frame = channel.blocked ? undefined : channel.inbound.take();
      if (frame === undefined) {
        this.#ready.shift();
        channel.ready = false;
        continue;
      }
      const element = this.#element(channel, frame.kind, frame.payload);
      if (frame.kind !== FrameKind.batch) channel.inbound.grant(frame.payload.length);
      this.#rotate();
      if (element !== undefined) return element;
    }
    return undefined;
  }

  /** The checkpoint will not be: what its barrier holds back goes on, and its barrier means nothing on the channels where it still comes. */
  abort(checkpointId: number): void {
    this.#aligner.abort(checkpointId);
    if (this.#barrier === undefined || this.#barrier.checkpointId > checkpointId) return;
    this.#barrier = undefined;
    this.#unblock();
    this.#wake();
  }
  /** A hint against the stream, to every producer of input 0. */
  sendHint(payload: Uint8Array): void {
    for (const channel of this.#channels)
      if (channel.input === 0) channel.inbound.sendHint(payload);
  }
  close(): void {
    for (const channel of this.#channels) channel.inbound.close();
  }

  #element(channel: GateChannel, kind: FrameKind, payload: Uint8Array): GateElement | undefined {
    this.bytesIn += payload.length;
    switch (kind) {
      case FrameKind.batch:
        this.#reading = channel.inbound;
        this.#readingBytes = payload.length;
        return {
          kind: "batch",
          input: channel.input,
          batch: decodeBatch(payload),
          bytes: payload.length,
        };
      case FrameKind.watermark:
        return this.#folded(this.#watermarks.onWatermark(channel.index, decodeWatermark(payload)));
      case FrameKind.idle:
        return this.#folded(this.#watermarks.onIdle(channel.index, decodeIdle(payload)));
      case FrameKind.barrier:
        return this.#barrierArrived(channel, decodeBarrier(payload));
      case FrameKind.endOfData: {
        if (channel.ended) return undefined;
        channel.ended = true;
        this.#ended += 1;
        // Its watermark is at the end of time or it never had one: either way it holds nothing back any more.
        const changes: readonly GateElement[] = this.#watermarks.onWatermark(
          channel.index,
          maxWatermark,
        );
        return this.#inOrder(
          this.#ended < this.#channels.length ? changes : [...changes, { kind: "end-of-data" }],
        );
      }
      case FrameKind.latencyMarker:
        return undefined;
    }
  }

  #folded(changes: readonly WatermarkChange[]): GateElement | undefined {
    return changes.length === 0 ? undefined : this.#inOrder(changes);
  }
  #inOrder(elements: readonly GateElement[]): GateElement | undefined {
    for (let i = 1; i < elements.length; i++) this.#more.push(elements[i] as GateElement);
    return elements[0];
  }

  #barrierArrived(channel: GateChannel, barrier: BarrierInfo): GateElement | undefined {
    const decision = this.#aligner.barrier(channel.index, barrier.checkpointId);
    if (decision === "ignore") return undefined;
    if (this.#barrier === undefined || this.#barrier.checkpointId !== barrier.checkpointId) {
      // A newer barrier gives up the older alignment: its checkpoint was aborted.
      this.#unblock();
      this.#barrier = barrier;
      this.#alignmentStart = this.#now();
    }
    if (decision === "block") {
      channel.blocked = true;
      return undefined;
    }
    this.#barrier = undefined;
    this.#unblock();
    return { kind: "barrier", barrier, alignmentMs: this.#now() - this.#alignmentStart };
  }

  #unblock(): void {
    for (const channel of this.#channels) {
      if (!channel.blocked) continue;
      channel.blocked = false;
      this.#offer(channel);
    }
  }
  #offer(channel: GateChannel): void {
    if (channel.ready || channel.blocked) return;
    channel.ready = true;
    this.#ready.push(channel);
  }
  /** Fairness: after one frame the channel goes to the back. */
  #rotate(): void {
    if (this.#ready.length < 2) return;
    const first = this.#ready.shift();
    if (first !== undefined) this.#ready.push(first);
  }
}
