/**
 * An exchange as one writes it by hand: the key is encoded, hashed over its bytes, and lies with its number in the buffer of the channel
 * that the hash picks; a full buffer is read back, record by record.
 *
 *   record = length of the key: u32 | hash: u32 | number: f64 | key, filled up to 8 bytes with zeros
 */

/** As large as a batch of the engine's exchange. */
const bufferBytes = 65_536;
const headBytes = 16;

/** Node's own writers and readers, without the look at the encoding's name. */
type QuickBuffer = Buffer & {
  utf8Write(text: string, offset: number): number;
  utf8Slice(start: number, end: number): string;
};
const quickBuffer = (bytes: number): QuickBuffer => Buffer.alloc(bytes) as QuickBuffer;

export type Receive = (key: string, value: number, hash: number) => void;

export class Channels {
  readonly #channels: Channel[];
  readonly #scratch = quickBuffer(1_024);
  readonly #words = new Int32Array(this.#scratch.buffer, this.#scratch.byteOffset, 256);

  constructor(count: number, receive: Receive) {
    this.#channels = Array.from({ length: count }, () => new Channel(receive));
  }
  /** The key has at most 1,000 bytes. */
  send(key: string, value: number): void {
    const length = this.#scratch.utf8Write(key, 0);
    const padded = (length + 7) & ~7;
    this.#scratch.fill(0, length, padded);
    const hash = hashOf(this.#words, padded >> 2, length);
    const channel = this.#channels[hash % this.#channels.length];
    channel?.add(this.#scratch, { length, padded, hash, value });
  }
  flush(): void {
    for (const channel of this.#channels) channel.read();
  }
}

interface Encoded {
  readonly length: number;
  readonly padded: number;
  readonly hash: number;
  readonly value: number;
}
class Channel {
  readonly #receive: Receive;
  readonly #bytes = quickBuffer(bufferBytes);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, bufferBytes);
  #end = 0;

  constructor(receive: Receive) {
    this.#receive = receive;
  }
  add(key: Buffer, { length, padded, hash, value }: Encoded): void {
    if (this.#end + headBytes + padded > bufferBytes) this.read();
    const at = this.#end;
    this.#view.setUint32(at, length, true);
    this.#view.setUint32(at + 4, hash, true);
    this.#view.setFloat64(at + 8, value, true);
    key.copy(this.#bytes, at + headBytes, 0, padded);
    this.#end = at + headBytes + padded;
  }
  read(): void {
    for (let at = 0; at < this.#end; ) {
      const length = this.#view.getUint32(at, true);
      const hash = this.#view.getUint32(at + 4, true);
      const value = this.#view.getFloat64(at + 8, true);
      const start = at + headBytes;
      this.#receive(this.#bytes.utf8Slice(start, start + length), value, hash);
      at = start + ((length + 7) & ~7);
    }
    this.#end = 0;
  }
}

/** Murmur's mixing of 32-bit words. */
export function hashOf(words: Int32Array, count: number, seed: number): number {
  let hash = seed | 0;
  for (let i = 0; i < count; i++) {
    let word = Math.imul(words[i] ?? 0, 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  return finish(hash);
}
export function finish(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
