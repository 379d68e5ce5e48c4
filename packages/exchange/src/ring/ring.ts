/**
 * A ring: frames from one writer to one reader through memory that both see, written and read where they lie. Only arithmetic: who wakes
 * whom is not its business.
 *
 *   memory   i32 written, i32 waiting | i32 released, i32 granted | bytes, a power of two
 *   frame    u32 bytes that the frame still has, this piece included | u32 kind and marks | payload, filled up to 8
 *
 * The two groups of counters lie on cache lines of their own: each has one thread that writes it. Positions and granted bytes count up
 * modulo 2³².
 *
 * RNG-1  What is not released is never written over: `room` counts from `released`, which only the reader moves.
 * RNG-2  A frame of at most half the ring lies in one piece: where the rest of the ring is too short, the frame begins at its start. So an
 *        empty ring has room for it wherever it stands.
 * RNG-3  A larger frame comes in pieces of a quarter of the ring, which the reader joins as they come: it is complete though nobody takes
 *        anything. What did not fit yet is a copy at the writer, and no other frame goes before it is through: one at each end.
 * RNG-4  Taken frames are released in order, each when that many bytes have been granted (TRN-6). What is granted beyond the frames taken
 *        releases nothing.
 * RNG-6  A writer that lacks credit or room says so (`waiting`) and then looks once more: a grant that it does not see, sees that it waits.
 * RNG-5  A frame is published after it has been written, and released after it has been read: `Atomics` order both.
 */
import { fail } from "../fail.ts";
import type { Frame, FrameKind } from "../transport.ts";

const headBytes = 8;
const alignment = 8;
/** Two lines: processors fetch them in pairs. */
const lineBytes = 128;
const dataAt = 2 * lineBytes;
const writtenWord = 0;
const waitingWord = 1;
const releasedWord = lineBytes / 4;
const grantedWord = releasedWord + 1;
/** Room for a usual batch in one piece; a larger window is refilled while it is read. */
const leastBytes = 64 * 1024;
const mostBytes = 4 * 1024 * 1024;

/** In place of a kind: nothing up to the end of the ring. */
const skip = 0;
const kindMask = 0xff;
/** The frame comes in pieces. */
const piece = 0x100;
/** The last piece, when the reader has joined them: it holds the place of the frame, and its head the whole length. */
const joined = 0x200;

/** Bytes of data in a ring for a channel with that window; `least` is a power of two from 64 on. */
export function ringCapacity(windowBytes: number, least = leastBytes): number {
  let capacity = least;
  while (capacity < windowBytes && capacity < mostBytes) capacity *= 2;
  return capacity;
}
/** Bytes of memory for a ring; all are 0 at first. Its ends begin where its counters stand. */
export function ringMemoryBytes(capacity: number): number {
  return dataAt + capacity;
}

class Ring {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly capacity: number;
  readonly mask: number;
  /** The largest payload that lies in one piece. */
  readonly wholeBytes: number;
  /** The payload of a piece of a larger frame. */
  readonly pieceBytes: number;

  constructor(memory: ArrayBufferLike) {
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory, dataAt);
    this.capacity = this.bytes.length;
    this.mask = this.capacity - 1;
    this.wholeBytes = this.capacity / 2 - headBytes;
    this.pieceBytes = this.capacity / 4;
  }
  /** Index of the head at a position. */
  head(position: number): number {
    return (dataAt + (position & this.mask)) >> 2;
  }
  /** Bytes from a position to the ring's end. */
  tail(position: number): number {
    return this.capacity - (position & this.mask);
  }
}

/** Bytes of the ring that a payload takes. */
function lengthOf(payloadBytes: number): number {
  return headBytes + ((payloadBytes + alignment - 1) & -alignment);
}

/** The producing end. One thread. */
export class RingWriter {
  readonly #ring: Ring;
  #written = 0;
  #released = 0;
  /** The pieces of a large frame that had no room yet (RNG-3). */
  #rest: Uint8Array | undefined;
  #restKind: FrameKind | undefined;

  constructor(memory: ArrayBufferLike) {
    this.#ring = new Ring(memory);
    this.#written = Atomics.load(this.#ring.words, writtenWord);
    this.#released = this.released;
  }
  /** Bytes granted so far, modulo 2³². */
  get granted(): number {
    return Atomics.load(this.#ring.words, grantedWord);
  }
  /** Position up to which the reader has released, modulo 2³². */
  get released(): number {
    return Atomics.load(this.#ring.words, releasedWord);
  }
  /** Whether grants and releases are to be told (RNG-6). */
  set waiting(waits: boolean) {
    Atomics.store(this.#ring.words, waitingWord, waits ? 1 : 0);
  }
  /** True when a payload of that size can be written now; of a large one, its first piece. */
  room(payloadBytes: number): boolean {
    return this.#rest === undefined && this.#fits(payloadBytes);
  }
  /** Pieces of a large frame wait for room. */
  get pending(): boolean {
    return this.#rest !== undefined;
  }
  /** Copies a frame into the ring, for which there is room. */
  write(kind: FrameKind, payload: Uint8Array): void {
    const { wholeBytes } = this.#ring;
    if (payload.length <= wholeBytes) return this.#put(kind, payload.length, payload);
    const rest = this.#putPieces(kind, payload);
    if (rest.length === 0) return;
    this.#rest = rest.slice();
    this.#restKind = kind;
  }
  /** Goes on with a large frame, as far as there is room; true when it went on. */
  advance(): boolean {
    const before = this.#rest;
    if (before === undefined) return false;
    const rest = this.#putPieces(this.#restKind as FrameKind, before);
    this.#rest = rest.length === 0 ? undefined : rest;
    return rest.length < before.length;
  }

  #putPieces(kind: FrameKind, payload: Uint8Array): Uint8Array {
    const { pieceBytes } = this.#ring;
    let rest = payload;
    while (rest.length > 0 && this.#fits(Math.min(rest.length, pieceBytes))) {
      this.#put(kind | piece, rest.length, rest.subarray(0, pieceBytes));
      rest = rest.subarray(pieceBytes);
    }
    return rest;
  }
  #fits(payloadBytes: number): boolean {
    const { wholeBytes, pieceBytes, capacity } = this.#ring;
    const length = lengthOf(payloadBytes <= wholeBytes ? payloadBytes : pieceBytes);
    const tail = this.#ring.tail(this.#written);
    const needed = length <= tail ? length : tail + length;
    if (needed <= capacity - ((this.#written - this.#released) | 0)) return true;
    this.#released = this.released;
    return needed <= capacity - ((this.#written - this.#released) | 0);
  }
  #put(kind: number, frameBytes: number, payload: Uint8Array): void {
    const ring = this.#ring;
    const { words } = ring;
    const length = lengthOf(payload.length);
    const tail = ring.tail(this.#written);
    if (length > tail) {
      words[ring.head(this.#written) + 1] = skip;
      this.#written = (this.#written + tail) | 0;
    }
    const head = ring.head(this.#written);
    words[head] = frameBytes;
    words[head + 1] = kind;
    ring.bytes.set(payload, (this.#written & ring.mask) + headBytes);
    this.#written = (this.#written + length) | 0;
    Atomics.store(words, writtenWord, this.#written);
  }
}

/** The consuming end. One thread; it may be the writer's. */
export class RingReader {
  readonly #ring: Ring;
  readonly #accept: (payloadBytes: number) => void;
  // released ≤ taken ≤ seen ≤ written
  #released = 0;
  #taken = 0;
  #seen = 0;
  #written = 0;
  /** Bytes granted that no frame has been released for, of frames that are taken. */
  #spare = 0;
  #granted = 0;
  #queuedBytes = 0;
  #queuedFrames = 0;
  /** The large frame whose pieces are coming, and how much of it has come; and those that are complete and not taken. */
  #joining: Uint8Array | undefined;
  #joinedBytes = 0;
  readonly #large: Uint8Array[] = [];

  /** `accept` hears of the payload of each frame before anything else does; what it throws leaves the frame where it is. */
  constructor(memory: ArrayBufferLike, accept: (payloadBytes: number) => void) {
    this.#ring = new Ring(memory);
    this.#accept = accept;
    this.#released = Atomics.load(this.#ring.words, releasedWord);
    this.#taken = this.#seen = this.#written = this.#released;
  }
  /** Of the frames seen and not taken. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }
  get queuedFrames(): number {
    return this.#queuedFrames;
  }
  get released(): number {
    return this.#released;
  }
  /** The writer needs to hear of grants (RNG-6). */
  get awaited(): boolean {
    return Atomics.load(this.#ring.words, waitingWord) === 1;
  }

  /** Looks at what has been written; true when there is something to take. */
  look(): boolean {
    this.#written = Atomics.load(this.#ring.words, writtenWord);
    while (this.#seen !== this.#written) this.#see();
    return this.#queuedFrames > 0;
  }
  /** The oldest frame seen and not taken. Its payload lies in the ring until it is released. */
  take(): Frame | undefined {
    if (this.#queuedFrames === 0) return undefined;
    const ring = this.#ring;
    let mark = this.#markAt(this.#taken);
    while (mark === skip || (mark & piece) !== 0) {
      this.#taken = this.#after(this.#taken, mark);
      mark = this.#markAt(this.#taken);
    }
    const payloadBytes = ring.words[ring.head(this.#taken)] as number;
    const from = (this.#taken & ring.mask) + headBytes;
    const payload =
      (mark & joined) !== 0
        ? (this.#large.shift() as Uint8Array)
        : ring.bytes.subarray(from, from + payloadBytes);
    this.#taken = this.#after(this.#taken, mark);
    this.#queuedFrames -= 1;
    this.#queuedBytes -= payloadBytes;
    return { kind: (mark & kindMask) as FrameKind, payload };
  }
  /** RNG-4 */
  grant(bytes: number): void {
    this.#spare += bytes;
    this.#release();
    this.#granted = (this.#granted + bytes) | 0;
    Atomics.store(this.#ring.words, grantedWord, this.#granted);
  }

  /** Takes notice of what lies at `seen`. */
  #see(): void {
    const ring = this.#ring;
    const mark = this.#markAt(this.#seen);
    const next = this.#after(this.#seen, mark);
    if (((this.#written - next) | 0) < 0)
      throw fail("EXCHANGE_CORRUPT", { fields: { reason: "a frame goes beyond what is written" } });
    if (mark !== skip) {
      const head = ring.head(this.#seen);
      const frameBytes = ring.words[head] as number;
      if (this.#joining === undefined) this.#accept(frameBytes);
      if ((mark & piece) === 0) this.#complete(frameBytes);
      else this.#join(head, frameBytes);
    }
    this.#seen = next;
    // Nothing lies between what is released and this: a piece that has been copied makes room at once.
    if (mark !== skip && (mark & piece) !== 0) this.#release();
  }
  #join(head: number, restBytes: number): void {
    const ring = this.#ring;
    const from = (this.#seen & ring.mask) + headBytes;
    const bytes = Math.min(restBytes, ring.pieceBytes);
    this.#joining ??= new Uint8Array(restBytes);
    this.#joining.set(ring.bytes.subarray(from, from + bytes), this.#joinedBytes);
    this.#joinedBytes += bytes;
    if (bytes < restBytes) return;
    const mark = ring.words[head + 1] as number;
    ring.words[head] = this.#joinedBytes;
    ring.words[head + 1] = (mark & kindMask) | joined;
    this.#large.push(this.#joining);
    this.#complete(this.#joinedBytes);
    this.#joining = undefined;
    this.#joinedBytes = 0;
  }
  #complete(payloadBytes: number): void {
    this.#queuedFrames += 1;
    this.#queuedBytes += payloadBytes;
  }
  /** Moves `released` over what nobody reads any more. */
  #release(): void {
    const { words } = this.#ring;
    const before = this.#released;
    for (;;) {
      if (this.#released === this.#taken) {
        this.#spare = 0;
        if (!this.#passPiece()) break;
      }
      const mark = this.#markAt(this.#released);
      if (mark !== skip && (mark & piece) === 0) {
        const payloadBytes = words[this.#ring.head(this.#released)] as number;
        if (payloadBytes > this.#spare) break;
        this.#spare -= payloadBytes;
      }
      this.#released = this.#after(this.#released, mark);
    }
    if (this.#released !== before) Atomics.store(words, releasedWord, this.#released);
  }
  /** Nothing is taken and not released: a piece that has been copied, or an end of the ring that was left out, counts as taken. */
  #passPiece(): boolean {
    if (this.#taken === this.#seen) return false;
    const mark = this.#markAt(this.#taken);
    if (mark !== skip && (mark & piece) === 0) return false;
    this.#taken = this.#after(this.#taken, mark);
    return true;
  }
  #markAt(position: number): number {
    return this.#ring.words[this.#ring.head(position) + 1] as number;
  }
  /** The position after what lies at this one. */
  #after(position: number, mark: number): number {
    const ring = this.#ring;
    if (mark === skip) return (position + ring.tail(position)) | 0;
    const frameBytes = ring.words[ring.head(position)] as number;
    let bytes = frameBytes;
    if ((mark & joined) !== 0) bytes = ((frameBytes - 1) % ring.pieceBytes) + 1;
    else if ((mark & piece) !== 0) bytes = Math.min(frameBytes, ring.pieceBytes);
    return (position + lengthOf(bytes)) | 0;
  }
}
