/**
 * Buffers that are used again: a new one of some ten KB costs microseconds, most of them in the garbage collector.
 *
 * POL-1  Bound: what lies here unused is at most `mostUnusedBytes`; what is lent out is bounded by whoever borrows.
 * POL-2  A borrowed buffer is nobody else's until it is given back; one that is never given back is garbage, not a leak.
 */

/** Below, V8 keeps the bytes of a typed array in its own heap, which is cheaper than any pool. */
const leastBytes = 64;
/** A usual batch; larger rows are rare. */
const mostBytes = 128 * 1024;
const mostUnusedBytes = 4 * 1024 * 1024;

export class BufferPool {
  /** Unused buffers of 2^i bytes. */
  readonly #unused: ArrayBuffer[][] = [];
  #unusedBytes = 0;

  get unusedBytes(): number {
    return this.#unusedBytes;
  }
  /** Bytes of any content; they begin where a Float64Array may. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length <= leastBytes || length > mostBytes) return new Uint8Array(length);
    const size = sizeOf(length);
    const buffer = this.#unused[size]?.pop();
    if (buffer !== undefined) this.#unusedBytes -= buffer.byteLength;
    return new Uint8Array(buffer ?? new ArrayBuffer(2 ** size), 0, length);
  }
  /** Takes back what `take` gave. */
  give({ buffer }: Uint8Array): void {
    const { byteLength } = buffer;
    const size = sizeOf(byteLength);
    if (byteLength <= leastBytes || byteLength > mostBytes || byteLength !== 2 ** size) return;
    if (this.#unusedBytes + byteLength > mostUnusedBytes) return;
    (this.#unused[size] ??= []).push(buffer as ArrayBuffer);
    this.#unusedBytes += byteLength;
  }
}

/** The least i with 2^i ≥ length. */
function sizeOf(length: number): number {
  return 32 - Math.clz32(length - 1);
}
