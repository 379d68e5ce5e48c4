/** Pairs of numbers through an exchange by hand: the key is hashed, and columns of the channel are filled and read back. */
import { finish } from "./channel.ts";

const rowsPerBuffer = 4_096;
type ReceiveNumbers = (a: number, b: number) => void;

export class NumberChannels {
  readonly #channels: NumberChannel[];

  constructor(count: number, receive: ReceiveNumbers) {
    this.#channels = Array.from({ length: count }, () => new NumberChannel(receive));
  }
  send(a: number, b: number): void {
    this.#channels[finish(a) % this.#channels.length]?.add(a, b);
  }
  flush(): void {
    for (const channel of this.#channels) channel.read();
  }
}

class NumberChannel {
  readonly #receive: ReceiveNumbers;
  readonly #a = new Int32Array(rowsPerBuffer);
  readonly #b = new Float64Array(rowsPerBuffer);
  #rows = 0;

  constructor(receive: ReceiveNumbers) {
    this.#receive = receive;
  }
  add(a: number, b: number): void {
    if (this.#rows === rowsPerBuffer) this.read();
    this.#a[this.#rows] = a;
    this.#b[this.#rows] = b;
    this.#rows += 1;
  }
  read(): void {
    for (let i = 0; i < this.#rows; i++) this.#receive(this.#a[i] ?? 0, this.#b[i] ?? 0);
    this.#rows = 0;
  }
}
