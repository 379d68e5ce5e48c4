/**
 * An operator's output: what it emits goes straight on, unless a guard holds it back until the call has succeeded.
 *
 * OUT-1  Between `hold` and `release` nothing leaves, watermarks and idleness included; then all of it does, in the order in which it was
 *        emitted. `discard` forgets the records and watermarks emitted since `hold`; that an input is active again it does not take back, for it
 *        will not be said twice.
 * OUT-2  Of several readers of a side in the chain all but the last get a copy (GTX-4).
 */
import { copyRecord } from "@millrace/data";
import type { Output } from "@millrace/spi";

export interface Exit {
  (value: unknown, timestamp: number): void;
  /** The same for the rows from `from` up to `to`, of which none is changed by anybody meanwhile. When it throws, `at[1]` is the row in question. */
  readonly many?: (
    values: readonly unknown[],
    timestamps: Float64Array,
    from: number,
    to: number,
    at: Int32Array,
  ) => void;
}

type Batch = Output["emitBatch"];

/** Where the records of a side output go. */
export interface Side {
  /** Network outputs: they capture a record at once. */
  readonly exits: readonly Exit[];
  /** Operators of the chain. */
  readonly readers: readonly Exit[];
}

/** What an output needs of its chain. */
export interface OutputHome {
  /** By operator. */
  readonly recordsOut: Float64Array;
  readonly full: boolean;
  readonly row: number;
  emitWatermark(operator: number, watermark: number): void;
  emitIdle(operator: number, idle: boolean): void;
}

type Held =
  | {
      readonly kind: "record";
      readonly side: string | undefined;
      readonly value: unknown;
      readonly timestamp: number;
    }
  | { readonly kind: "watermark"; readonly watermark: number }
  | { readonly kind: "idle"; readonly idle: boolean };

export class ChainOutput implements Output {
  readonly #chain: OutputHome;
  readonly #index: number;
  #out: Exit = () => {};
  #sides: ReadonlyMap<string, Side> = new Map();
  #batch: Batch | undefined;
  #held: Held[] | undefined;

  constructor(chain: OutputHome, index: number) {
    this.#chain = chain;
    this.#index = index;
  }
  /** The operator is made before the generated code is: its ways out come afterwards. */
  connect(out: Exit, sides: ReadonlyMap<string, Side>, batch: Batch | undefined): void {
    this.#out = out;
    this.#sides = sides;
    this.#batch = batch;
  }
  emit(value: unknown, timestamp: number): void {
    if (this.#held === undefined) this.#out(value, timestamp);
    else this.#held.push({ kind: "record", side: undefined, value, timestamp });
  }
  emitBatch(
    values: readonly unknown[],
    timestamps: Float64Array,
    from: number,
    count: number,
  ): number {
    if (this.#held === undefined && this.#batch !== undefined)
      return this.#batch(values, timestamps, from, count);
    let row = from;
    for (; row < count && !this.full; row++) this.emit(values[row], timestamps[row]!);
    return row;
  }
  get row(): number {
    return this.#chain.row;
  }
  emitSide(name: string, value: unknown, timestamp: number): void {
    if (this.#held !== undefined) {
      this.#held.push({ kind: "record", side: name, value, timestamp });
      return;
    }
    const side = this.#sides.get(name);
    if (side === undefined) return;
    this.#chain.recordsOut[this.#index]! += 1;
    for (const exit of side.exits) exit(value, timestamp);
    const last = side.readers.length - 1;
    side.readers.forEach((reader, i) => {
      reader(i === last ? value : copyRecord(value), timestamp);
    });
  }
  emitWatermark(watermark: number): void {
    if (this.#held === undefined) this.#chain.emitWatermark(this.#index, watermark);
    else this.#held.push({ kind: "watermark", watermark });
  }
  emitIdle(idle: boolean): void {
    if (this.#held === undefined) this.#chain.emitIdle(this.#index, idle);
    else this.#held.push({ kind: "idle", idle });
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
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const item of held) if (item.kind === "idle") this.emitIdle(item.idle);
  }
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const item of held) {
      if (item.kind === "watermark") this.emitWatermark(item.watermark);
      else if (item.kind === "idle") this.emitIdle(item.idle);
      else if (item.side === undefined) this.#out(item.value, item.timestamp);
      else this.emitSide(item.side, item.value, item.timestamp);
    }
  }
}
