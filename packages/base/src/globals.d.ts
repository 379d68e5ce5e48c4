/**
 * What pure packages may use beyond ECMAScript: the byte and cancellation primitives that every host has.
 * Nothing here tells the time, sleeps, or opens anything.
 */
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(input: string, target: Uint8Array): { read: number; written: number };
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}
interface EventListenerOptionsLike {
  once?: boolean;
}
declare class AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: EventListenerOptionsLike): void;
  removeEventListener(type: "abort", listener: () => void): void;
  throwIfAborted(): void;
  static any(signals: readonly AbortSignal[]): AbortSignal;
}
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare function structuredClone<T>(value: T): T;
declare function queueMicrotask(fn: () => void): void;
