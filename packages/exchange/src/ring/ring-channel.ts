/** The two ends of a channel over a ring. */
import { Credit, Grant } from "../credit.ts";
import { fail } from "../fail.ts";
import { Hints } from "../hints.ts";
import type { ChannelId, Frame, FrameKind, InboundChannel, OutboundChannel } from "../transport.ts";
import { RingReader, RingWriter } from "./ring.ts";

/** What an end needs of its transport. */
export interface RingLine {
  /** There is something new in a ring for the other end, or new room. */
  ring(): void;
  hint(payload: Uint8Array): void;
  /** The channel is of no more use to this end. */
  close(): void;
}

export class RingOutbound implements OutboundChannel {
  readonly id: ChannelId;
  readonly #line: RingLine;
  readonly #credit = new Credit();
  readonly #hints = new Hints();
  #writer: RingWriter | undefined;
  #granted = 0;
  /** Counters of the reader as they were when the listener was called last. */
  #toldGranted = 0;
  #toldReleased = 0;
  /** It has said that it waits (RNG-6). */
  #waits = false;
  #onCredit: (() => void) | undefined;
  #onFailure: ((error: unknown) => void) | undefined;
  #closed = false;

  constructor(id: ChannelId, line: RingLine) {
    this.id = id;
    this.#line = line;
  }
  get credit(): number {
    if (this.#writer !== undefined) this.#takeCredit(this.#writer.granted);
    return this.#credit.bytes;
  }
  mayGo(payloadBytes: number): boolean {
    const writer = this.#writer;
    if (writer === undefined) return false;
    if (this.#fits(writer, payloadBytes)) return true;
    this.#waits = true;
    writer.waiting = true;
    return this.#fits(writer, payloadBytes);
  }
  send(kind: FrameKind, payload: Uint8Array): void {
    if (this.#closed) return;
    this.#credit.spend(payload.length, this.id.edge);
    if (this.#writer?.room(payload.length) !== true)
      throw fail("EXCHANGE_NO_CREDIT", {
        fields: { edge: this.id.edge, reason: "no room", payloadBytes: payload.length },
      });
    this.#writer.write(kind, payload);
    this.#advance(this.#writer);
    this.#line.ring();
  }
  onCredit(listener: () => void): void {
    this.#onCredit = listener;
  }
  onHint(listener: (payload: Uint8Array) => void): void {
    this.#hints.listen(listener);
  }
  onFailure(listener: (error: unknown) => void): void {
    this.#onFailure = listener;
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#line.close();
  }

  join(memory: ArrayBufferLike): void {
    this.#writer = new RingWriter(memory);
  }
  /** Looks at what the reader has done; true when that was something. */
  poll(): boolean {
    const writer = this.#writer;
    if (writer === undefined || this.#closed) return false;
    const { granted, released } = writer;
    if (granted === this.#toldGranted && released === this.#toldReleased) return false;
    if (this.#waits) this.#waits = writer.waiting = false;
    this.#toldGranted = granted;
    this.#toldReleased = released;
    if (this.#advance(writer)) this.#line.ring();
    this.#takeCredit(granted);
    this.#onCredit?.();
    return true;
  }
  hinted(payload: Uint8Array): void {
    if (this.#closed) return;
    this.#hints.heard(payload);
  }
  lost(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onFailure?.(peerLost(this.id, error));
  }

  /** The rest of a large frame goes as far as there is room; true when it went on. */
  #advance(writer: RingWriter): boolean {
    let went = false;
    while (writer.pending) {
      this.#waits = true;
      writer.waiting = true;
      if (!writer.advance()) break;
      went = true;
    }
    return went;
  }
  #fits(writer: RingWriter, payloadBytes: number): boolean {
    if (!this.#credit.covers(payloadBytes)) this.#takeCredit(writer.granted);
    return this.#credit.covers(payloadBytes) && writer.room(payloadBytes);
  }
  #takeCredit(granted: number): void {
    const bytes = (granted - this.#granted) >>> 0;
    if (bytes === 0) return;
    this.#granted = granted;
    this.#credit.grant(bytes);
  }
}

export class RingInbound implements InboundChannel {
  readonly id: ChannelId;
  readonly #line: RingLine;
  readonly #reader: RingReader;
  readonly #grant = new Grant();
  /** The listener knows that there is something to take. */
  #told = false;
  #onFrame: (() => void) | undefined;
  #onFailure: ((error: unknown) => void) | undefined;
  #failed: { readonly error: unknown } | undefined;
  #closed = false;

  constructor(id: ChannelId, line: RingLine, memory: ArrayBufferLike) {
    this.id = id;
    this.#line = line;
    this.#reader = new RingReader(memory, (payloadBytes) => this.#grant.arrived(payloadBytes));
  }
  get queuedBytes(): number {
    return this.#reader.queuedBytes;
  }
  take(): Frame | undefined {
    const frame = this.#reader.take() ?? (this.#look() ? this.#reader.take() : undefined);
    if (frame === undefined) this.#told = false;
    return frame;
  }
  grant(bytes: number): void {
    if (this.#closed) return;
    this.#grant.given(bytes);
    this.#reader.grant(bytes);
    if (this.#reader.awaited) this.#line.ring();
  }
  sendHint(payload: Uint8Array): void {
    if (!this.#closed) this.#line.hint(payload);
  }
  onFrame(listener: () => void): void {
    this.#onFrame = listener;
  }
  onFailure(listener: (error: unknown) => void): void {
    this.#onFailure = listener;
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#line.close();
  }

  /** Looks at what the writer has done; true when that was something. */
  poll(): boolean {
    if (this.#closed) return false;
    const waiting = this.#look();
    if (this.#failed !== undefined) {
      const { error } = this.#failed;
      this.lost(error);
      this.#line.close();
      return true;
    }
    if (!waiting || this.#told) return false;
    this.#told = true;
    this.#onFrame?.();
    return true;
  }
  lost(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onFailure?.(peerLost(this.id, error));
  }

  #look(): boolean {
    if (this.#closed || this.#failed !== undefined) return this.#reader.queuedFrames > 0;
    const released = this.#reader.released;
    try {
      this.#reader.look();
    } catch (error) {
      this.#failed = { error };
    }
    // Pieces of a large frame have made room.
    if (this.#reader.released !== released) this.#line.ring();
    return this.#reader.queuedFrames > 0;
  }
}

function peerLost({ edge, from, to }: ChannelId, cause: unknown): Error {
  return fail("EXCHANGE_PEER_LOST", { fields: { edge, from, to }, cause });
}
