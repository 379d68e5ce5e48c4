/**
 * Strings to bytes and back. The default needs nothing but TextEncoder and TextDecoder; a Node process installs the faster
 * methods of its buffers once at start with `setTextBackend(bufferText(Buffer.prototype))`. Both write the same bytes.
 *
 * TXT-1  `write` gives UTF-8; what it does with lone surrogates is unspecified, callers test `isWellFormed` first.
 * TXT-2  `utf8` throws on malformed input and keeps a byte order mark.
 */
export interface TextBackend {
  /** Writes at `at`; the target has room for three bytes per UTF-16 unit. Returns the number of bytes written. */
  write(text: string, target: Uint8Array, at: number): number;
  /** Bytes below 128 only. */
  ascii(bytes: Uint8Array, from: number, to: number): string;
  utf8(bytes: Uint8Array, from: number, to: number): string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const pureText: TextBackend = {
  write: (text, target, at) => encoder.encodeInto(text, target.subarray(at)).written,
  ascii: (bytes, from, to) => decoder.decode(bytes.subarray(from, to)),
  utf8: (bytes, from, to) => decoder.decode(bytes.subarray(from, to)),
};

/** The methods of Node's `Buffer.prototype` that are used; they accept any Uint8Array as `this`. */
export interface BufferMethods {
  utf8Write(this: Uint8Array, text: string, at?: number, length?: number): number;
  latin1Slice(this: Uint8Array, from?: number, to?: number): string;
}

export function bufferText({ utf8Write, latin1Slice }: BufferMethods): TextBackend {
  return {
    write: (text, target, at) => utf8Write.call(target, text, at, target.length - at),
    ascii: (bytes, from, to) => latin1Slice.call(bytes, from, to),
    utf8: pureText.utf8,
  };
}

export let text: TextBackend = pureText;

/** Installs a backend for the whole process; without an argument, the default. */
export function setTextBackend(backend: TextBackend = pureText): void {
  text = backend;
}
