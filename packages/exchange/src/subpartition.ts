/**
 * The producing side of one channel: rows are collected to batches, batches and events wait in order for credit.
 *
 * SUB-1  Order out is order in: an event first closes the batch of the rows before it.
 * SUB-2  A watermark that directly follows an unsent watermark replaces it: at most one between two batches.
 * SUB-3  Bound: at most `maxQueuedBytes` of encoded batches beyond which `full` asks the producer to stop; what one call emits after
 *        that is overdraft, at most one input row's output.
 * SUB-4  What waits is a copy: the writer may use its buffer again as soon as a batch has been taken.
 */
import type { BatchWriter } from "@millrace/data";
import { FrameQueue } from "./frame-queue.ts";
import { type FrameKind, FrameKind as kinds, type OutboundChannel } from "./transport.ts";

/** Two batches of the largest usual size: one on its way into the socket, one being made ready. */
export const maxQueuedBytes = 192 * 1024;

export class Subpartition {
  readonly #channel: OutboundChannel;
  readonly #writer: BatchWriter;
  readonly #queue = new FrameQueue();
  #onRoom: (() => void) | undefined;
  #onFull: () => void = () => {};
  records = 0;
  bytes = 0;
  batches = 0;

  constructor(channel: OutboundChannel, writer: BatchWriter) {
    this.#channel = channel;
    this.#writer = writer;
    channel.onCredit(() => {
      const wasFull = this.full;
      this.#send();
      if (wasFull && !this.full) this.#onRoom?.();
    });
  }

  /** `onRoom` is called when `full` turned false again, `onFull` when it turned true. One listener each. */
  onRoom(onRoom: () => void, onFull: () => void = () => {}): void {
    this.#onRoom = onRoom;
    this.#onFull = onFull;
  }
  get full(): boolean {
    return this.#queue.bytes >= maxQueuedBytes;
  }
  get queuedBytes(): number {
    return this.#queue.bytes;
  }
  /** Rows that no batch has been made of yet. */
  get openRows(): number {
    return this.#writer.rows;
  }

  add(value: unknown, timestamp: number, hash: number): void {
    this.#writer.add(value, timestamp, hash);
    this.added(1);
  }

  addKeyed(value: unknown, timestamp: number, key: unknown): void {
    this.#writer.addKeyed(value, timestamp, key);
    this.added(1);
  }
  /** Answers the first row that was not taken: `from` when they can't be taken together. */
  addMany(values: readonly unknown[], timestamps: Float64Array, from: number, to: number): number {
    const taken = this.#writer.addMany(values, timestamps, from, to);
    if (taken > from) this.added(taken - from);
    return taken;
  }
  /** Takes its share of rows whose channels have been found. */
  get writer(): BatchWriter {
    return this.#writer;
  }
  added(rows: number): void {
    this.records += rows;
    if (this.#writer.full) this.flush();
  }

  /** Makes a batch of the rows collected so far. */
  flush(): void {
    if (this.#writer.rows === 0) return;
    const payload = this.#writer.take();
    this.batches += 1;
    this.#enqueue(kinds.batch, payload);
  }

  event(kind: FrameKind, payload: Uint8Array): void {
    this.flush();
    if (kind === kinds.watermark && this.#queue.last()?.kind === kinds.watermark)
      return this.#queue.replaceLast({ kind, payload: payload.slice() });
    this.#enqueue(kind, payload);
  }

  close(): void {
    this.#queue.clear();
    this.#channel.close();
  }

  #enqueue(kind: FrameKind, payload: Uint8Array): void {
    // A ring may have room that nobody has been told of yet.
    if (this.#queue.length > 0) this.#send();
    if (this.#queue.length === 0 && this.#channel.mayGo(payload.length))
      return this.#go(kind, payload);
    this.#queue.push({ kind, payload: payload.slice() });
    if (this.full) this.#onFull();
  }

  #send(): void {
    for (
      let next = this.#queue.peek();
      next !== undefined && this.#channel.mayGo(next.payload.length);
      next = this.#queue.peek()
    ) {
      this.#queue.shift();
      this.#go(next.kind, next.payload);
    }
  }
  #go(kind: FrameKind, payload: Uint8Array): void {
    this.bytes += payload.length;
    this.#channel.send(kind, payload);
  }
}
