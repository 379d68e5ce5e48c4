/**
 * `assignTimestampsAndWatermarks` (TRF-14): overwrites the timestamps and watermarks that come from above.
 *
 * ATW-1  A watermark from above is ignored, unless it is the end of time, which is passed on. Idleness from above is ignored too.
 */
import { maxWatermark } from "@millrace/data";
import type { WatermarkConfig } from "@millrace/graph";
import type { OperatorDefinition } from "@millrace/spi";
import { generatorOf, timestampReader, WatermarkTracker } from "./generator.ts";

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
      platform.clock.monotonic(),
    );
    let stop = () => {};
    let fullMs = 0;
    const tick = () => {
      setup.mailbox.execute(() => {
        if (tracker.onPeriodic(platform.clock.monotonic(), fullMs)) output.emitIdle(true);
        fullMs = output.full ? intervalMs : 0;
        stop = platform.timers.after(intervalMs, tick);
      });
    };
    return {
      ownsWatermarks: true,
      open() {
        stop = platform.timers.after(intervalMs, tick);
      },
      onElement(value, given) {
        const timestamp = read(value, given);
        if (tracker.onEvent(value, timestamp, platform.clock.monotonic())) output.emitIdle(false);
        output.emit(value, timestamp);
      },
      onWatermark(watermark) {
        if (watermark === maxWatermark) output.emitWatermark(maxWatermark);
        return true;
      },
      close() {
        stop();
      },
    };
  },
};
