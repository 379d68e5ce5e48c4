/**
 * From the watermarks of many channels to one: the minimum over the active ones. Pure.
 *
 * VAL-1  A watermark at the end of time makes its channel finished: it leaves the minimum, and only when all channels are finished is
 *        the output at the end of time. (A finished and an idle channel together must not end time early: WM-06.)
 * VAL-2  An idle channel leaves the minimum; when all that are not finished are idle, the output is idle, at the maximum they had reached
 *        (WM-05).
 * VAL-3  A channel that becomes active again but lags is left out until it has caught up with the output.
 * VAL-4  The output only rises.
 */
import { maxWatermark, minWatermark } from "@millrace/data";
import { CombinedWatermarks, type WatermarkChange } from "./combined.ts";

export class WatermarkValve {
  readonly #watermarks: Float64Array;
  readonly #idle: Uint8Array;
  /** 0: lags behind the output since it became active again. */
  readonly #aligned: Uint8Array;
  #output = minWatermark;
  #outputIdle = false;

  constructor(channels: number) {
    this.#watermarks = new Float64Array(channels).fill(minWatermark);
    this.#idle = new Uint8Array(channels);
    this.#aligned = new Uint8Array(channels).fill(1);
  }
  get watermark(): number {
    return this.#output;
  }

  /** What changes downstream, in order; usually nothing or one thing. */
  onWatermark(channel: number, watermark: number): readonly WatermarkChange[] {
    if (this.#idle[channel] === 1 && watermark < maxWatermark) return [];
    if (watermark <= (this.#watermarks[channel] ?? minWatermark)) return [];
    this.#watermarks[channel] = watermark;
    if (this.#aligned[channel] === 0 && watermark >= this.#output) this.#aligned[channel] = 1;
    if (watermark === maxWatermark) this.#idle[channel] = 0;
    return this.#advance();
  }

  onIdle(channel: number, idle: boolean): readonly WatermarkChange[] {
    if ((this.#idle[channel] === 1) === idle || this.#watermarks[channel] === maxWatermark)
      return [];
    this.#idle[channel] = idle ? 1 : 0;
    if (!idle) {
      this.#aligned[channel] = (this.#watermarks[channel] ?? minWatermark) >= this.#output ? 1 : 0;
      if (!this.#outputIdle) return [];
      this.#outputIdle = false;
      return [{ kind: "idle", idle: false }, ...this.#advance()];
    }
    return this.#advance();
  }

  #advance(): readonly WatermarkChange[] {
    let minimum = Number.POSITIVE_INFINITY;
    let maximum = minWatermark;
    let unfinished = 0;
    let active = 0;
    for (let i = 0; i < this.#watermarks.length; i++) {
      const watermark = this.#watermarks[i] ?? minWatermark;
      if (watermark === maxWatermark) continue;
      unfinished += 1;
      maximum = Math.max(maximum, watermark);
      if (this.#idle[i] === 1) continue;
      active += 1;
      if (this.#aligned[i] === 1) minimum = Math.min(minimum, watermark);
    }
    if (unfinished === 0) return this.#rise(maxWatermark);
    if (active > 0) return minimum === Number.POSITIVE_INFINITY ? [] : this.#rise(minimum);
    const risen = this.#rise(maximum);
    if (this.#outputIdle) return risen;
    this.#outputIdle = true;
    return [...risen, { kind: "idle", idle: true }];
  }
  #rise(watermark: number): readonly WatermarkChange[] {
    if (watermark <= this.#output) return [];
    this.#output = watermark;
    return [{ kind: "watermark", watermark }];
  }
}

/** The watermark of a subtask with one or two inputs: a valve per input, and what both say combined. */
export class InputWatermarks {
  readonly #inputs: readonly { readonly input: number; readonly channel: number }[];
  readonly #valves: readonly WatermarkValve[];
  readonly #both: CombinedWatermarks | undefined;

  /** `inputs[channel]` is the input that a channel belongs to. */
  constructor(inputs: readonly (0 | 1)[]) {
    const counts: [number, number] = [0, 0];
    this.#inputs = inputs.map(
      (input) => ({ input, channel: counts[input]++ }) as { input: number; channel: number },
    );
    this.#valves = counts.map((count) => new WatermarkValve(count));
    if (counts[1] === 0) return;
    this.#both = new CombinedWatermarks();
    this.#both.add(0);
    this.#both.add(1);
  }
  get watermark(): number {
    return (this.#both ?? this.#valves[0])?.watermark ?? minWatermark;
  }
  onWatermark(channel: number, watermark: number): readonly WatermarkChange[] {
    const at = this.#inputs[channel];
    if (at === undefined) return [];
    return this.#combined(at.input, this.#valves[at.input]?.onWatermark(at.channel, watermark));
  }
  onIdle(channel: number, idle: boolean): readonly WatermarkChange[] {
    const at = this.#inputs[channel];
    if (at === undefined) return [];
    return this.#combined(at.input, this.#valves[at.input]?.onIdle(at.channel, idle));
  }
  #combined(input: number, changes: readonly WatermarkChange[] = []): readonly WatermarkChange[] {
    const both = this.#both;
    if (both === undefined) return changes;
    return changes.flatMap((change) => {
      if (change.kind === "watermark") both.set(input, change.watermark);
      else both.setIdle(input, change.idle);
      return both.combine();
    });
  }
}
