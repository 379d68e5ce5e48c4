/**
 * Typed arrays that grow in place. Large ones lie over a growable buffer, whose address space is reserved and whose memory is not: a few
 * percent more can then be had often, without a copy and without the pause of one. Shared buffers are used because only those never
 * shrink, so that a view of fixed length over one is as fast as over a plain buffer (a resizable plain one measured twice as slow).
 *
 * GRW-1  Growing keeps the contents; what is new is zero. An array is copied each time it has grown `reserve` times as large, and at
 *        small sizes.
 */

/** Smaller arrays are copied at each growth. */
const plainBytes = 64 * 1024;
/** Address space for each byte when a growable buffer is made. */
const reserve = 64;

export type Growing = Float64Array | Int32Array | Uint32Array | Uint8Array;
interface Views {
  new (buffer: ArrayBufferLike, at: number, length: number): unknown;
}

/** The next size: double while small, then an eighth more. At least `items`. */
export function roomFor(items: number, capacity: number): number {
  const next = capacity < 4_096 ? 2 * capacity : capacity + (capacity >>> 3);
  return Math.max(items, next, 16);
}

/** `array` with room for `items`; the old one must not be used any more. */
export function grown<A extends Growing>(array: A, items: number): A {
  const bytes = items * array.BYTES_PER_ELEMENT;
  const { buffer } = array;
  const View = array.constructor as Views;
  if (buffer instanceof SharedArrayBuffer && bytes <= buffer.maxByteLength) {
    buffer.grow(bytes);
    return new View(buffer, 0, items) as A;
  }
  const larger = new View(bytes < plainBytes ? new ArrayBuffer(bytes) : reserved(bytes), 0, items);
  (larger as A).set(array);
  return larger as A;
}

function reserved(bytes: number): ArrayBufferLike {
  try {
    return new SharedArrayBuffer(bytes, { maxByteLength: bytes * reserve });
  } catch {
    // The address space is limited: no more than what is needed.
    return new ArrayBuffer(bytes);
  }
}
