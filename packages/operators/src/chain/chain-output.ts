/**
 * An operator's output: what it emits goes straight on, unless a guard holds it back until the call has succeeded.
 *
 * OUT-1  Between `hold` and `release` nothing leaves; `discard` forgets what was emitted since `hold`.
 */
import type { Output } from "@millrace/spi";

export type Exit = (value: unknown, timestamp: number) => void;

/** What an output needs of its chain. */
export interface OutputHome {
  /** By operator. */
  readonly recordsOut: Float64Array;
  readonly full: boolean;
  emitWatermark(operator: number, watermark: number): void;
  emitIdle(operator: number, idle: boolean): void;
}

interface Held {
  readonly side: string | undefined;
  readonly value: unknown;
  readonly timestamp: number;
}

export class ChainOutput implements Output {
  readonly #chain: OutputHome;
  readonly #index: number;
  #out: Exit = () => {};
  #sides: ReadonlyMap<string, readonly Exit[]> = new Map();
  #held: Held[] | undefined;

  constructor(chain: OutputHome, index: number) {
    this.#chain = chain;
    this.#index = index;
  }
  /** The operator is made before the generated code is: its ways out come afterwards. */
  connect(out: Exit, sides: ReadonlyMap<string, readonly Exit[]>): void {
    this.#out = out;
    this.#sides = sides;
  }
  emit(value: unknown, timestamp: number): void {
    if (this.#held === undefined) this.#out(value, timestamp);
    else this.#held.push({ side: undefined, value, timestamp });
  }
  emitSide(name: string, value: unknown, timestamp: number): void {
    if (this.#held !== undefined) {
      this.#held.push({ side: name, value, timestamp });
      return;
    }
    const exits = this.#sides.get(name);
    if (exits === undefined || exits.length === 0) return;
    this.#chain.recordsOut[this.#index]! += 1;
    for (const exit of exits) exit(value, timestamp);
  }
  emitWatermark(watermark: number): void {
    this.#chain.emitWatermark(this.#index, watermark);
  }
  emitIdle(idle: boolean): void {
    this.#chain.emitIdle(this.#index, idle);
  }
  get full(): boolean {
    return this.#chain.full;
  }
  get holding(): boolean {
    return this.#held !== undefined;
  }
  hold(): void {
    this.#held = [];
  }
  discard(): void {
    this.#held = undefined;
  }
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { side, value, timestamp } of held) {
      if (side === undefined) this.#out(value, timestamp);
      else this.emitSide(side, value, timestamp);
    }
  }
}
