/**
 * The watermark of a reader: one tracker per split, and what they say combined.
 *
 * SPW-1  The output is the minimum over the splits that are active; a finished split leaves it, after its last events have counted
 *        (SRC-08, WM-05).
 * SPW-2  A reader without splits holds its watermark, because it may still get one whose records are as old: it is idle only after
 *        `idlenessMs` without any.
 */
import type { WatermarkConfig } from "@millrace/graph";
import type { Output } from "@millrace/spi";
import { CombinedWatermarks, type WatermarkChange } from "./combined.ts";
import { type UserGenerator, WatermarkTracker } from "./generator.ts";

export class SplitWatermarks {
  readonly #config: WatermarkConfig;
  readonly #generator: (() => UserGenerator) | undefined;
  readonly #output: Pick<Output, "emitWatermark" | "emitIdle">;
  readonly #combined = new CombinedWatermarks<string>();
  readonly #trackers = new Map<string, WatermarkTracker>();
  /** The split of the last record: records of one split come in runs. */
  #currentId: string | undefined;
  #current: WatermarkTracker | undefined;
  #emptySince: number | undefined;
  #idle = false;

  constructor(
    config: WatermarkConfig,
    generator: (() => UserGenerator) | undefined,
    output: Pick<Output, "emitWatermark" | "emitIdle">,
  ) {
    this.#config = config;
    this.#generator = generator;
    this.#output = output;
  }
  added(splitId: string): void {
    this.#combined.add(splitId);
    const advanced = (watermark: number) => {
      this.#combined.set(splitId, watermark);
      this.#tell(this.#combined.combine());
    };
    this.#trackers.set(splitId, new WatermarkTracker(this.#config, this.#generator?.(), advanced));
    this.#currentId = undefined;
    this.#emptySince = undefined;
    this.#setIdle(false);
    this.#tell(this.#combined.combine());
  }
  finished(splitId: string): void {
    this.#trackers.get(splitId)?.advance();
    this.#trackers.delete(splitId);
    this.#combined.remove(splitId);
    if (this.#currentId === splitId) this.#currentId = undefined;
    this.#tell(this.#combined.combine());
  }
  /** Before the record is emitted: its split is active again. */
  beforeEvent(splitId: string): void {
    if (this.#currentId !== splitId) {
      this.#current = this.#trackers.get(splitId);
      if (this.#current === undefined)
        throw new RangeError(`record of split ${splitId}, which is not assigned`);
      this.#currentId = splitId;
    }
    if (this.#current?.idle !== true) return;
    this.#combined.setIdle(splitId, false);
    this.#tell(this.#combined.combine());
  }
  /** After the record has been emitted. */
  afterEvent(value: unknown, timestamp: number): void {
    this.#current?.onEvent(value, timestamp);
  }
  /** A user's generator sees each record, and may emit after it. */
  get byRecord(): boolean {
    return this.#generator !== undefined;
  }
  /** After records of the split of `beforeEvent`, where not each is looked at. */
  afterEvents(timestamps: Float64Array, from: number, to: number): void {
    if (to > from) this.#current?.onEvents(timestamps, from, to);
  }
  onPeriodic(readableMs: number): void {
    for (const [splitId, tracker] of this.#trackers)
      if (tracker.onPeriodic(readableMs)) this.#combined.setIdle(splitId, true);
    this.#tell(this.#combined.combine());
    const { idlenessMs } = this.#config;
    if (idlenessMs === null || this.#trackers.size > 0) return;
    this.#emptySince ??= readableMs;
    if (readableMs - this.#emptySince > idlenessMs) this.#setIdle(true);
  }

  #tell(changes: readonly WatermarkChange[]): void {
    for (const change of changes) {
      if (change.kind === "idle") this.#setIdle(change.idle);
      else this.#output.emitWatermark(change.watermark);
    }
  }
  #setIdle(idle: boolean): void {
    if (this.#idle === idle) return;
    this.#idle = idle;
    this.#output.emitIdle(idle);
  }
}
