/**
 * One watermark from several that belong together without being channels: the splits of a reader, the two inputs of an operator. Pure.
 *
 * CMB-1  The result is the minimum over the members that are active; it only rises.
 * CMB-2  A member at the end of time is finished: it leaves the minimum, and only when all are finished is the result the end of time.
 * CMB-3  Idle when no member is active and not all are finished; the result is then the maximum that the idle ones had reached (WM-05).
 * CMB-4  A watermark makes its member active again, and one that lags behind the result holds it where it is until it has caught up.
 *        (The valve of channels, `valve.ts`, leaves such a member out instead.)
 */
import { maxWatermark, minWatermark } from "@millrace/data";

export type WatermarkChange =
  | { readonly kind: "watermark"; readonly watermark: number }
  | { readonly kind: "idle"; readonly idle: boolean };

interface Member {
  watermark: number;
  idle: boolean;
}

export class CombinedWatermarks<Id = number> {
  readonly #members = new Map<Id, Member>();
  #output = minWatermark;
  #idle = false;

  get watermark(): number {
    return this.#output;
  }
  get idle(): boolean {
    return this.#idle;
  }
  add(id: Id): void {
    this.#members.set(id, { watermark: minWatermark, idle: false });
  }
  remove(id: Id): void {
    this.#members.delete(id);
  }
  /** False: the member had said as much before; it is active now all the same. */
  set(id: Id, watermark: number): boolean {
    const member = this.#members.get(id);
    if (member === undefined) return false;
    member.idle = false;
    if (watermark <= member.watermark) return false;
    member.watermark = watermark;
    return true;
  }
  setIdle(id: Id, idle: boolean): void {
    const member = this.#members.get(id);
    if (member !== undefined) member.idle = idle;
  }

  /** What the changes since the last call mean for the result, in the order in which it must be told. Nothing without members. */
  combine(): readonly WatermarkChange[] {
    if (this.#members.size === 0) return [];
    let minimum = maxWatermark;
    let maximum = minWatermark;
    let unfinished = 0;
    let active = 0;
    for (const { watermark, idle } of this.#members.values()) {
      if (watermark === maxWatermark) continue;
      unfinished += 1;
      maximum = Math.max(maximum, watermark);
      if (idle) continue;
      active += 1;
      minimum = Math.min(minimum, watermark);
    }
    const idle = unfinished > 0 && active === 0;
    const changes: WatermarkChange[] = [];
    // An idle result's watermarks would be left out downstream: active before the watermark, idle after it.
    if (!idle && this.#idle) changes.push({ kind: "idle", idle });
    const result = idle ? maximum : minimum;
    if (result > this.#output) {
      this.#output = result;
      changes.push({ kind: "watermark", watermark: result });
    }
    if (idle && !this.#idle) changes.push({ kind: "idle", idle });
    this.#idle = idle;
    return changes;
  }
}
