/**
 * `assignTimestampsAndWatermarks` (TRF-14): overwrites the timestamps and watermarks that come from above.
 *
 * ATW-1  A record leaves before the watermark that it causes.
 * ATW-2  A watermark from above is ignored, unless it is the end of time, which is passed on. Idleness from above is ignored too.
 */
import { maxWatermark } from "@millrace/data";
import type { WatermarkConfig } from "@millrace/graph";
import type { OperatorDefinition } from "@millrace/spi";
import { generatorOf, ReadableClock, timestampReader, WatermarkTracker } from "./generator.ts";

export const timestampsOperator: OperatorDefinition = {
  kind: "timestamps",
  inputs: 1,
  keyed: false,
  create(setup) {
    const { watermarks, intervalMs = 200 } = setup.config as {
      readonly watermarks: WatermarkConfig;
      readonly intervalMs?: number;
    };
    const { output, platform } = setup;
    const read = timestampReader(watermarks, setup.functions, setup.task.uid);
    const tracker = new WatermarkTracker(
      watermarks,
      generatorOf(setup.functions)?.(),
      (watermark) => output.emitWatermark(watermark),
    );
    const clock = new ReadableClock(() => platform.clock.monotonic());
    let stop = () => {};
    let ended = false;
    const tick = () => {
      setup.mailbox.execute(() => {
        if (ended) return;
        if (tracker.onPeriodic(clock.look(output.full))) output.emitIdle(true);
        arm();
      });
    };
    // An interval of 0 means no periodic watermarks.
    const arm = () => {
      if (intervalMs > 0) stop = platform.timers.after(intervalMs, tick);
    };
    return {
      ownsWatermarks: true,
      open: arm,
      onElement(value, given) {
        const timestamp = read(value, given);
        // First that the input is active again: downstream leaves out what an idle input says.
        if (tracker.idle) output.emitIdle(false);
        output.emit(value, timestamp);
        tracker.onEvent(value, timestamp);
      },
      onWatermark(watermark) {
        if (watermark !== maxWatermark) return true;
        ended = true;
        output.emitWatermark(maxWatermark);
        return true;
      },
      close() {
        stop();
      },
    };
  },
};
