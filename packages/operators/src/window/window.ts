/**
 * Tumbling event-time windows on a keyed stream: incremental (`reduce`, `aggregate`, column aggregates) or with all values (`process`).
 *
 *   row of table "window": (key, start) → contents        timers: end-1 fires, end-1+lateness cleans up
 *
 * WND-1  start = timestamp - floorMod(timestamp - offset, size); [start, end), maxTimestamp = end - 1 (WIN-05).
 * WND-2  A record is late when end-1+lateness ≤ watermark: it goes to the late side output, or is dropped and counted (LAT-01, LAT-02).
 *        The watermark is the larger of the live one and that of the key's group at the restored checkpoint.
 * WND-3  The window fires when the watermark reaches end-1, and again at once for each late record that is still allowed (TRG-03, LAT-03).
 * WND-4  Contents go at cleanup time, also when the window's function failed and the policy skips. A result's timestamp is end-1
 *        (WFN-03).
 */
import { addTime, floorMod } from "@millrace/data";
import type { WindowConfig } from "@millrace/graph";
import type { Operator, OperatorDefinition, OperatorSetup } from "@millrace/spi";
import { keyText, tell } from "../chain/culprit.ts";
import { fail } from "../fail.ts";
import { createContents } from "./contents.ts";

export const windowOperator: OperatorDefinition = {
  kind: "window",
  inputs: 1,
  keyed: true,
  create: createWindow,
};

export interface WindowRef {
  readonly kind: "time";
  readonly start: number;
  readonly end: number;
}

function createWindow(setup: OperatorSetup): Operator {
  const config = setup.config as WindowConfig;
  const { sizeMs, offsetMs } = config.assigner;
  const { state, output } = setup;
  const key = setup.keys[0] as (value: unknown) => unknown;
  const dropped = setup.metrics.counter("numLateRecordsDropped");
  const contents = createContents(setup, config.fn);
  const timers = setup.timers((time, start) => {
    const end = start + sizeMs;
    // With no lateness both times are one timer: fire first, then clean up.
    if (time === end - 1) fire(start);
    if (time === cleanupTime(start)) contents.clear(start);
  });
  const cleanupTime = (start: number) => addTime(start + sizeMs - 1, config.allowedLatenessMs);
  const watermark = () => Math.max(timers.currentWatermark, state.restoredWatermark);
  const located = (error: unknown, start: number) => {
    const window = `${momentText(start)} to ${momentText(start + sizeMs)}`;
    tell(error, { key: keyText(state.currentKey), window });
    return error;
  };
  const fire = (start: number) =>
    setup.guarded(() => {
      try {
        contents.fire({ kind: "time", start, end: start + sizeMs }, watermark());
      } catch (error) {
        throw located(error, start);
      }
    });
  return {
    open: () => contents.open?.(),
    onElement(value, timestamp) {
      if (Number.isNaN(timestamp))
        throw fail("OPERATOR_NO_TIMESTAMP", { fields: { uid: setup.task.uid } });
      state.selectKey(key(value));
      const start = timestamp - floorMod(timestamp - offsetMs, sizeMs);
      const cleanup = cleanupTime(start);
      const now = watermark();
      if (cleanup <= now) {
        if (config.lateSide === null) dropped.inc();
        else output.emitSide(config.lateSide, value, timestamp);
        return;
      }
      try {
        contents.add(start, value);
      } catch (error) {
        throw located(error, start);
      }
      if (start + sizeMs - 1 <= now) fire(start);
      else timers.registerEventTime(start + sizeMs - 1, start, 0);
      timers.registerEventTime(cleanup, start, 0);
    },
    onWatermark: (time) => timers.advanceWatermark(time, () => output.full),
  };
}

function momentText(ms: number): string {
  const moment = new Date(ms);
  return Number.isNaN(moment.getTime()) ? String(ms) : moment.toISOString();
}
