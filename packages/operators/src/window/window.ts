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
 * WND-5  A window's timers are registered with its first record: both are there until the one has fired and the other cleared it. In a batch,
 *        records of windows that are neither new nor due are added together.
 */
import { addTime, floorMod } from "@millrace/data";
import type { WindowConfig } from "@millrace/graph";
import type { Operator, OperatorDefinition, OperatorSetup } from "@millrace/spi";
import { keyText, tell } from "../chain/culprit.ts";
import { fail } from "../fail.ts";
import { keyedRows } from "../keyed-rows.ts";
import { createContents } from "./contents.ts";
import { WindowBatches } from "./window-batches.ts";

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
  const startOf = (timestamp: number) => timestamp - floorMod(timestamp - offsetMs, sizeMs);
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
  const row = (value: unknown, timestamp: number): void => {
    if (Number.isNaN(timestamp))
      throw fail("OPERATOR_NO_TIMESTAMP", { fields: { uid: setup.task.uid } });
    const start = startOf(timestamp);
    const cleanup = cleanupTime(start);
    const now = watermark();
    if (cleanup <= now) {
      if (config.lateSide === null) dropped.inc();
      else output.emitSide(config.lateSide, value, timestamp);
      return;
    }
    const isDue = start + sizeMs - 1 <= now;
    let isNew = false;
    try {
      isNew = contents.add(start, value);
    } catch (error) {
      throw located(error, start);
    }
    if (isDue) fire(start);
    if (!isNew) return;
    if (!isDue) timers.registerEventTime(start + sizeMs - 1, start, 0);
    timers.registerEventTime(cleanup, start, 0);
  };
  const rowByRow = keyedRows(setup, row);
  const batches = new WindowBatches(setup, row, {
    /** Records from here on are of windows that are not due. */
    firstOpen: () => startOf(Math.max(timers.currentWatermark, state.highestRestoredWatermark) + 1),
    startOf,
  });
  return {
    open: () => contents.open?.(),
    onElement(value, timestamp) {
      state.selectKey(key(value));
      row(value, timestamp);
    },
    onBatch(batch, from) {
      const add = contents.adder?.(batch);
      return add === undefined ? rowByRow(batch, from) : batches.onBatch(batch, add, from);
    },
    onWatermark: (time) => timers.advanceWatermark(time, () => output.full),
  };
}

function momentText(ms: number): string {
  const moment = new Date(ms);
  return Number.isNaN(moment.getTime()) ? String(ms) : moment.toISOString();
}
